"""Every way in which a stored hash may be written."""

from adapters.hashing.argon2 import read_argon2
from adapters.hashing.aspnet_identity import read_aspnet_identity
from adapters.hashing.bcrypt import read_bcrypt, read_bcrypt_sha256
from adapters.hashing.firebase import read_firebase
from adapters.hashing.pbkdf2 import read_pbkdf2_django, read_pbkdf2_modular, read_pbkdf2_werkzeug
from adapters.hashing.phpass import read_phpass
from adapters.hashing.scrypt import (
    read_scrypt_better_auth,
    read_scrypt_django,
    read_scrypt_node,
    read_scrypt_phc,
    read_scrypt_werkzeug,
)
from adapters.hashing.sha_crypt import read_sha_crypt
from application.ports.stored_hashes import Form

ALL_FORMS: tuple[Form, ...] = (
    read_argon2,
    read_bcrypt,
    read_bcrypt_sha256,
    read_scrypt_node,
    read_scrypt_better_auth,
    read_scrypt_phc,
    read_scrypt_django,
    read_scrypt_werkzeug,
    read_firebase,
    read_pbkdf2_django,
    read_pbkdf2_modular,
    read_pbkdf2_werkzeug,
    read_aspnet_identity,
    read_phpass,
    read_sha_crypt,
)
