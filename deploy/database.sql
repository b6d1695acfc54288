-- For psql, as a superuser: the role that owns Ostiary's database, and may do nothing beyond it.
-- Its password is the variable POSTGRES_SERVICE_PASSWORD. A role of its own for `ostiary serve`: docs/postgresql-rights.md
\getenv password POSTGRES_SERVICE_PASSWORD
CREATE ROLE ostiary LOGIN PASSWORD :'password';
CREATE DATABASE ostiary OWNER ostiary;
REVOKE ALL ON DATABASE ostiary FROM PUBLIC;
