"""Hashes made or published by the software that people come from: what each reader is held against."""

from dataclasses import dataclass

TYPED = "engine of difference"
UNICODE = "passe\u0301 \ufb01 A\u030a z\u0307"
"""Composed, decomposed, and a ligature: no two of its normal forms are the same."""


@dataclass(frozen=True, kw_only=True)
class Vector:
    """A hash that is known to be a password's."""

    form: str
    password: str
    encoded: str
    origin: str
    """Who says so. The cost is low wherever the software allows."""


VECTORS = (
    Vector(
        form="argon2i",
        password="test",
        encoded="$argon2i$v=19$m=16,t=2,p=1$bGJRWThNOHJJTVBSdHl2dQ$NfEnUOuUpb7F2fQkgFUG4g",
        origin="published in GoTrue's internal/crypto/password_test.go",
    ),
    Vector(
        form="argon2id",
        password="test",
        encoded="$argon2id$v=19$m=32,t=3,p=2$SFVpOWJ0eXhjRzVkdGN1RQ$RXnb8rh7LaDcn07xsssqqulZYXOM/EUCEFMVcAcyYVk",
        origin="published in GoTrue's internal/crypto/password_test.go",
    ),
    Vector(
        form="Django argon2",
        password=TYPED,
        encoded=(
            "argon2$argon2id$v=19$m=8,t=1,p=1$djVnR0doSGt6Y2FEUm45cFlDR3VyUw$tgE5nemyyCtS8q/6dUIg1RlAokVqakFOyWCD"
            "hc26w8k"
        ),
        origin="made by Django 5.2.19",
    ),
    Vector(
        form="Django argon2",
        password=UNICODE,
        encoded=(
            "argon2$argon2id$v=19$m=8,t=1,p=1$eUxreTg4dGhmdTRkbUlidFUybmgyUw$MgJkbP9NqPNH3K3HdvCBIU5PnCslhixWDR0X"
            "5jyCW7s"
        ),
        origin="made by Django 5.2.19",
    ),
    Vector(
        form="Django bcrypt",
        password=TYPED,
        encoded="bcrypt$$2b$04$ksHU3gk8VBLM2k41rYJ6buJq79SnjU1bgFbcxLr.qfOvKXdnByHnS",
        origin="made by Django 5.2.19",
    ),
    Vector(
        form="Django bcrypt",
        password=UNICODE,
        encoded="bcrypt$$2b$04$fYjF6dl.eAWNvNHz/82JIueWdbLkzk6mx1BoB1BEISmMqUluSuJVy",
        origin="made by Django 5.2.19",
    ),
    Vector(
        form="Django bcrypt_sha256",
        password=TYPED,
        encoded="bcrypt_sha256$$2b$04$UrGSPcrx8CkRwnTl/cDJcOtRsfW7iPXODpC52EKkEVWt/wpEF2Fte",
        origin="made by Django 5.2.19",
    ),
    Vector(
        form="Django bcrypt_sha256",
        password=UNICODE,
        encoded="bcrypt_sha256$$2b$04$bJRS0BlyLQtsUxiBTbRdHOWr3i4vpb0me0Iy4jQealk.UzYBeCNO6",
        origin="made by Django 5.2.19",
    ),
    Vector(
        form="Django bcrypt_sha256",
        password=TYPED * 5,
        encoded="bcrypt_sha256$$2b$04$PksNJlT2SS73BYCh1lOCYOw.Uca8y.nFkXMzzEvY1W8cOTXgw4Vu.",
        origin="made by Django 5.2.19",
    ),
    Vector(
        form="Django scrypt",
        password=TYPED,
        encoded=(
            "scrypt$16$Wg51LHQAouZcipx1H5oieK$8$5$fU+oTP77req0S6qDpqY6Q1Q6i9QYa2wWqOl5P37TbC1JMhu+9IX7PFFKDz0pC2M"
            "CS3eemB+HcjfCvpD2TbILtQ=="
        ),
        origin="made by Django 5.2.19",
    ),
    Vector(
        form="Django scrypt",
        password=UNICODE,
        encoded=(
            "scrypt$16$gap32y1wT7SMh6Ea2RxN37$8$5$z1eq00vW79FJ/qMOQm0VmuDfZZzk9SrL/WgASbV5sb9wmk8R+Qh5BQarDakKh2B"
            "24wzVbMWQsb06LyExAiY3jg=="
        ),
        origin="made by Django 5.2.19",
    ),
    Vector(
        form="Django pbkdf2_sha256",
        password=TYPED,
        encoded="pbkdf2_sha256$3$ygWCdFqZMM7PBvOnbBPMik$+R4anmlzH+MVqr+i+5ejjpTq6q0QQCUrp9bc3j9jiCo=",
        origin="made by Django 5.2.19",
    ),
    Vector(
        form="Django pbkdf2_sha256",
        password=UNICODE,
        encoded="pbkdf2_sha256$3$iE4zbC3bBm0rCQhUaqXAAZ$Ic3vtAEAfZpENg7Oo0S2v7gr9sDaXDHtwPgQQcke6oU=",
        origin="made by Django 5.2.19",
    ),
    Vector(
        form="Django pbkdf2_sha1",
        password=TYPED,
        encoded="pbkdf2_sha1$3$4Uo2MwWdxeT8GC7vwUI1l6$QKyKRWma7nkbs2B9jaPtiQXnt7Y=",
        origin="made by Django 5.2.19",
    ),
    Vector(
        form="Django pbkdf2_sha1",
        password=UNICODE,
        encoded="pbkdf2_sha1$3$L7DONUanHl3ayB7rQa1Uwd$yGKuCmkU2rrt/e0UDnc6HwH/1gc=",
        origin="made by Django 5.2.19",
    ),
    Vector(
        form="Werkzeug scrypt",
        password=TYPED,
        encoded=(
            "scrypt:128:8:1$SSND2lo9H7AIMaTz$3d213462e6a230dbfeab6b643e9ed90b9eb4344b16cb84d4c47b1744199565b8cd2d"
            "dcdf7390b9049ebfc452cf0aceeae65de98effc4fbf27f738ccd66f40762"
        ),
        origin="made by Werkzeug 3.1.9",
    ),
    Vector(
        form="Werkzeug scrypt",
        password=UNICODE,
        encoded=(
            "scrypt:128:8:1$tUXq4d7gSqoKTZVX$97da22082c71c94967c0658e1a7ef5a4e370bdaf8847ee00c758520cd79289dc519d"
            "0eb8043ce41368b1c9b3ce9df92540f73d207e225ad4e0e01cd51f63c197"
        ),
        origin="made by Werkzeug 3.1.9",
    ),
    Vector(
        form="Werkzeug pbkdf2:sha1",
        password=TYPED,
        encoded="pbkdf2:sha1:3$IN6JYZ216kG4l9CX$6cd58d0413ad2cd0480ecdeea9c65a4540e2f558",
        origin="made by Werkzeug 3.1.9",
    ),
    Vector(
        form="Werkzeug pbkdf2:sha1",
        password=UNICODE,
        encoded="pbkdf2:sha1:3$ZcuytZDAw5uHcuZf$f163ee613497049cc18158c91db5128a7226df25",
        origin="made by Werkzeug 3.1.9",
    ),
    Vector(
        form="Werkzeug pbkdf2:sha256",
        password=TYPED,
        encoded="pbkdf2:sha256:3$OWlRoLLqvbht7qUE$269aba647373c1f6cc9b95f5eb5dfaeb2dfba39d93135d865c4a9610843ea305",
        origin="made by Werkzeug 3.1.9",
    ),
    Vector(
        form="Werkzeug pbkdf2:sha256",
        password=UNICODE,
        encoded="pbkdf2:sha256:3$iz0YULemhAs9xhax$d876a42246b49a8cb5f2c1a26fbb31ae89380809306abedbba46221fdad68b1d",
        origin="made by Werkzeug 3.1.9",
    ),
    Vector(
        form="Werkzeug pbkdf2:sha512",
        password=TYPED,
        encoded=(
            "pbkdf2:sha512:3$oiRWnlAlzFXUjp8Z$5501d73d2735743be0a3c6184fc1f06d477c8165b93a51ef984fa25d2ddff412f6a"
            "39d345a23c76206f4b5d0ceaf85ea7c86e91f0803a47bf82fa9110486cba8"
        ),
        origin="made by Werkzeug 3.1.9",
    ),
    Vector(
        form="Werkzeug pbkdf2:sha512",
        password=UNICODE,
        encoded=(
            "pbkdf2:sha512:3$G67b9DwqGfJbEaZn$f5aaa17bc73a78bc6ee70c1fde170743f9024df5829b41a5f4e6c618adf57d5861f"
            "959ad77fc3d2f5a57e5e2aa49eaf792e54b5dd6660fd44ae4870ae3a1f09f"
        ),
        origin="made by Werkzeug 3.1.9",
    ),
    Vector(
        form="bcrypt 2b",
        password=TYPED,
        encoded="$2b$04$MwN1P.uNyhxox6WD.Sk1gOLMu80mEai9uj5GS4paihE/aVgBBNsOq",
        origin="made by bcryptjs 3.0.3",
    ),
    Vector(
        form="bcrypt 2b",
        password=UNICODE,
        encoded="$2b$04$/A9AyhNyBSi9Edj5kl2xyOqCTGhAacEakes.q4.FqgudAdpOnwTHu",
        origin="made by bcryptjs 3.0.3",
    ),
    Vector(
        form="bcrypt 2b",
        password=TYPED * 5,
        encoded="$2b$04$WHlbJrsoYsedCLYIbmnoAuOa99L61ZUia8RlgVb82HeIShhJC68RO",
        origin="made by bcryptjs 3.0.3",
    ),
    Vector(
        form="bcrypt 2y",
        password=TYPED,
        encoded="$2y$04$Bm3Nt3cXHFZ/fT.jU4zWK.Ln7wkIsFGEBAUqtZrLC1U7.dBWl6EPG",
        origin="made by PHP 8.2's password_hash",
    ),
    Vector(
        form="bcrypt 2y",
        password=UNICODE,
        encoded="$2y$04$aSBxhjZMv6JxjizEK.V/y.h09KKVa77vJrkYJJRD8LHQrgaJL5AW.",
        origin="made by PHP 8.2's password_hash",
    ),
    Vector(
        form="scrypt-node",
        password=TYPED,
        encoded=(
            "$scrypt-node$567ca69f81532c642b41f0e4d6a5a2c2:614648b060218029b6b32725f65603d64109b4a013bffae577c6cb"
            "29a8c0fd31b40a9832cb02605e77fe3abc45a2429e60e40713437e6f25b93745a9a1cda2cc"
        ),
        origin="made by Node.js 20's scryptSync",
    ),
    Vector(
        form="scrypt-node",
        password=UNICODE,
        encoded=(
            "$scrypt-node$b0611f6d81896f1a1cc75369fc1f7284:9ba8055fb004a373bf45c805cfb328b87bab87972b53c81c259791"
            "642103ed5c0b1fc23d77d91bd7debecfe5dd2d2c3ed3c1c34dcefd8b6e6f035699da461116"
        ),
        origin="made by Node.js 20's scryptSync",
    ),
    Vector(
        form="scrypt-node-trim",
        password="\ufeff\u00a0 " + TYPED + "\u2029\t",
        encoded=(
            "$scrypt-node-trim$078fcb40a6381c284b8408b5b343edef:76c66765148790b7909f035744af0e572ab314241247c15f4"
            "ae2e561f97038752c9e023af59093d1feecac6f473b26871ae1d38c1005833b7e5df8765c5c4915"
        ),
        origin="made by Node.js 20's trim and scryptSync",
    ),
    Vector(
        form="scrypt-better-auth",
        password=TYPED,
        encoded=(
            "$scrypt-better-auth$ee6e917d4868257e87c3e346f1b49d93:78adb9e7f1df805aaf7f750fd824c07c4bce3c00b3767e6"
            "73edd258b14eae82bc94d165aaf39ae1b7b64a03b5b8ed0446cb90f7b62e14fcd869cd88624def387"
        ),
        origin="made by Better Auth 1.7.25",
    ),
    Vector(
        form="scrypt-better-auth",
        password=UNICODE,
        encoded=(
            "$scrypt-better-auth$9f952109410b838b21c0a8a5d016cf78:62e98b9c27c12b9c25cf694ae489cf6b51b1c40625ae832"
            "df7daffc7a6e163aaa336722b494fa0db693da107411d3ea635271393be1b8f11ffd7f2a52b4c7bee"
        ),
        origin="made by Better Auth 1.7.25",
    ),
    Vector(
        form="scrypt",
        password=TYPED,
        encoded="$scrypt$ln=4,r=8,p=1$SGlNybn3XmstJaTUmnOOsQ$t8JfcVvD99p+e11fM005fIsBbbgUY7g5QLhpul2DHjA",
        origin="made by libpass 1.9.4",
    ),
    Vector(
        form="scrypt",
        password=UNICODE,
        encoded="$scrypt$ln=4,r=8,p=1$xbh3LiXEOAeA0JqztrYWAg$cfhxELkI9+YmOcs2cQnQG1naDJFBifUiYaVNHPFnKtw",
        origin="made by libpass 1.9.4",
    ),
    Vector(
        form="passlib pbkdf2-sha256",
        password=TYPED,
        encoded="$pbkdf2-sha256$3$ISTk/B.jVIpxrhWilPI.5w$RF2RJYDIKHgCxxZ6oh.9MFEOgQ1ZoV1RwOFmQTpzEa0",
        origin="made by libpass 1.9.4",
    ),
    Vector(
        form="passlib pbkdf2-sha256",
        password=UNICODE,
        encoded="$pbkdf2-sha256$3$FyKkVCpFaC3FmPP.nxPCeA$kGwmn9xRaN2pFWA20KeAJwf3EEI0OeRKHFhrs6HIfzw",
        origin="made by libpass 1.9.4",
    ),
    Vector(
        form="passlib pbkdf2-sha512",
        password=TYPED,
        encoded=(
            "$pbkdf2-sha512$3$1JqTcg7BuBdi7D3HuLdW6g$XjKQmmZ6GO5YubOYDufVxpbG79GPsROi59M74oZzo56kk1MwIj/cdnapnm3W"
            "s0MiN4Sb0MaQzvfCXc.q4m1t.g"
        ),
        origin="made by libpass 1.9.4",
    ),
    Vector(
        form="passlib pbkdf2-sha512",
        password=UNICODE,
        encoded=(
            "$pbkdf2-sha512$3$u/f.vxeC0Dqn9N7bG0MIYQ$28HFEF8cjccPf/o/yzk/6ka/F8ZsgN/lRs0lZfQ1WKtrivw7HwTXXFud46xo"
            "8VS7Zcc/MrO40wHWXMCte4h.xw"
        ),
        origin="made by libpass 1.9.4",
    ),
    Vector(
        form="passlib pbkdf2",
        password=TYPED,
        encoded="$pbkdf2$3$8r631trb2zsnBACg1DpHCA$zyx3rKeuT9Rx5rejtbb8IEYUmHs",
        origin="made by libpass 1.9.4",
    ),
    Vector(
        form="passlib pbkdf2",
        password=UNICODE,
        encoded="$pbkdf2$3$f08phZDSmnOulXLOeU/JOQ$IoxaD9oXY5ohDA2mf7wDCH8xOpE",
        origin="made by libpass 1.9.4",
    ),
    Vector(
        form="sha512crypt",
        password=TYPED,
        encoded=(
            "$6$rounds=1000$agB77arX5o2O7FhV$vzJhhZqtFe/UkEiUBFLnWLj3LVhzjquKVMZat6rvsvCUKMbR3SwBrqtzgpyDxpRHY0Oa"
            "yopVKYHatPPfhIp9u."
        ),
        origin="made by libpass 1.9.4",
    ),
    Vector(
        form="sha512crypt",
        password=UNICODE,
        encoded=(
            "$6$rounds=1000$3GqPzZFqSwvW7TEI$QbU5mzBhDQU8YmAr/fFkc4SL2Z/grTzSRA3eX6tJzcq/MsTUxSl.sn8sXP/B8lB1MI2h"
            "vsG8UXo8KAae2sci0/"
        ),
        origin="made by libpass 1.9.4",
    ),
    Vector(
        form="sha256crypt",
        password=TYPED,
        encoded="$5$rounds=1000$uTq0A2jc3E7D2yZY$//V5keB9Bz4B4d9xRjhGov4JnPp5.NLCMkyyvcOF723",
        origin="made by libpass 1.9.4",
    ),
    Vector(
        form="sha256crypt",
        password=UNICODE,
        encoded="$5$rounds=1000$xQB1ykWBmYzY12ye$ReO9AWDJlYbabgW6PBynv59kfofhSiR8SVETNQY90B9",
        origin="made by libpass 1.9.4",
    ),
    Vector(
        form="phpass P",
        password=TYPED,
        encoded="$P$5MHYGVy/sprcP/Qxsa3dGSczblGjqT/",
        origin="made by libpass 1.9.4",
    ),
    Vector(
        form="phpass P",
        password=UNICODE,
        encoded="$P$5uohUqN8AfHdW3BQTt1cSeOWIi0dWq/",
        origin="made by libpass 1.9.4",
    ),
    Vector(
        form="sha512crypt",
        password=TYPED,
        encoded=(
            "$6$rounds=1000$saltsaltsalt$Gixes7kcWCuBUEorWj66ATVxWE2jgN/o2PrFUxbG2bmnpU3t7iuOXGfM/08TZ/bSzVOl7fyM"
            "57AhdV4rKSgaL1"
        ),
        origin="made by PHP 8.2's crypt",
    ),
    Vector(
        form="sha256crypt",
        password=TYPED,
        encoded="$5$rounds=1000$saltsaltsalt$xc2Z0tCJLVZqg3O0qnkeOienWDzXt.js0b928gzzdi3",
        origin="made by PHP 8.2's crypt",
    ),
    Vector(
        form="sha512crypt",
        password=UNICODE,
        encoded=(
            "$6$rounds=1000$saltsaltsalt$azNt65bdhxHQRb7sUYLIeAIzlTC3UtYzZ71KnDv6Zp07gkpeTWyywMtlCyj9CaWJGGa43sY4"
            "1wcmFvQjzLxQM0"
        ),
        origin="made by PHP 8.2's crypt",
    ),
    Vector(
        form="sha256crypt",
        password=UNICODE,
        encoded="$5$rounds=1000$saltsaltsalt$BQnUSlxwFO6ejaAltVgd3UHSp8tPfJpY48btDCLEpF/",
        origin="made by PHP 8.2's crypt",
    ),
    Vector(
        form="sha512crypt without rounds",
        password="Hello world!",
        encoded="$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
        origin="published in Drepper's specification",
    ),
    Vector(
        form="sha512crypt",
        password="a very much longer text to encrypt.  This one even stretches over morethan one line.",
        encoded=(
            "$6$rounds=1400$anotherlongsalts$POfYwTEok97VWcjxIiSOjiykti.o/pQs.wPvMxQ6Fm7I6IoYN3CmLs66x9t0oSwbtEW7"
            "o7UmJEiDwGqd8p4ur1"
        ),
        origin="published in Drepper's specification",
    ),
    Vector(
        form="sha256crypt without rounds",
        password="Hello world!",
        encoded="$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5",
        origin="published in Drepper's specification",
    ),
    Vector(
        form="sha256crypt",
        password="a very much longer text to encrypt.  This one even stretches over morethan one line.",
        encoded="$5$rounds=1400$anotherlongsalts$Rx.j8H.h8HjEDGomFU8bDkXm3XIUnzyxf12oP84Bnq1",
        origin="published in Drepper's specification",
    ),
    Vector(
        form="phpass P",
        password="test12345",
        encoded="$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0",
        origin="published in phpass' test.php",
    ),
    Vector(
        form="phpass H",
        password="test1",
        encoded="$H$9aaaaaSXBjgypwqm.JsMssPLiS8YQ00",
        origin="published in John the Ripper's and passlib's tests, of phpBB",
    ),
    Vector(
        form="fbscrypt",
        password="user1password",
        encoded=(
            "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUEC"
            "Kbm0QsEmYUSDzZvpjeJ9WmXA==$42xEC+ixf3L2lw==$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn"
            "3aoItz+VHjoZilo78198JAdRuid5lQ=="
        ),
        origin="published in the README of firebase/scrypt",
    ),
    Vector(
        form="fbscrypt",
        password="mytestpassword",
        encoded=(
            "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=ou9tdYTGyYm8kuR6Dt0Bp0kDuAYoXrK16mbZO4yGwAn3oLspjnN0/c41v8xZnO"
            "1n14J3MjKj1b2g6AUCAlFwMw==$C0sHCg9ek77hsg==$zKVTMvnWVw5BBOZNUdnsalx4c4c7y/w7IS5p6Ut2+CfEFFlz37J9huyQ"
            "fov4iizN8dbjvEJlM5tQaJP84+hfTw=="
        ),
        origin="published in GoTrue's internal/crypto/password_test.go",
    ),
    Vector(
        form="fbscrypt",
        password=TYPED,
        encoded=(
            "$fbscrypt$v=1,n=4,r=1,p=1,ss=Bw==,sk=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECK"
            "bm0QsEmYUSDzZvpjeJ9WmXA==$42xEC+ixf3L2lw==$7G6L/sgKj86CX59YWvwoY6HBtoQX/FAN+yihBtdPAVU6E2kbrfNcF5bB9"
            "jeaeDZUulR6O7faAQw3K9lpfLvjlQ=="
        ),
        origin="made by firebase-scrypt 2.2.0",
    ),
    Vector(
        form="fbscrypt",
        password=UNICODE,
        encoded=(
            "$fbscrypt$v=1,n=4,r=1,p=1,ss=Bw==,sk=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECK"
            "bm0QsEmYUSDzZvpjeJ9WmXA==$42xEC+ixf3L2lw==$8VGD9xk77GcufR49fjOQ84/ojTbjXgaeOPaLREOzmc26W/0J+ijAFl5G3"
            "ckXR4Hno75fkfDPQfkkm3vl8LBz+Q=="
        ),
        origin="made by firebase-scrypt 2.2.0",
    ),
    Vector(
        form="PHC pbkdf2-sha256",
        password="password",
        encoded="$pbkdf2-sha256$i=27500,l=32$P5rtFkGtPfoaryJ6PizUJw$JsfNbCOIdZUbyBJ+BT+VoGI91Ec2rWLOvkLPDaX8e9k",
        origin="written by Keycloak, in a realm that solo.io published for a workshop",
    ),
    Vector(
        form="PHC pbkdf2-sha1",
        password=TYPED,
        encoded="$pbkdf2-sha1$i=3$MDEyMzQ1Njc4OWFiY2RlZg$J2oT/TKHoXzV/dvsYIA20Jx65Pc",
        origin="computed with Python's hashlib for want of the original",
    ),
    Vector(
        form="PHC pbkdf2-sha1",
        password=UNICODE,
        encoded="$pbkdf2-sha1$i=3$MDEyMzQ1Njc4OWFiY2RlZg$a+gBJUuik1ZWfxJWRpkeujpax9I",
        origin="computed with Python's hashlib for want of the original",
    ),
    Vector(
        form="PHC pbkdf2-sha256",
        password=TYPED,
        encoded="$pbkdf2-sha256$i=3$MDEyMzQ1Njc4OWFiY2RlZg$kO6IHd4JA/3GETtHn37ksrJ9gARSTC5BuLFJnX48fc0",
        origin="computed with Python's hashlib for want of the original",
    ),
    Vector(
        form="PHC pbkdf2-sha256",
        password=UNICODE,
        encoded="$pbkdf2-sha256$i=3$MDEyMzQ1Njc4OWFiY2RlZg$I4i97gPojf01srg6ZGX+nvEslZkBMAd+3bK1aj46k84",
        origin="computed with Python's hashlib for want of the original",
    ),
    Vector(
        form="PHC pbkdf2-sha512",
        password=TYPED,
        encoded=(
            "$pbkdf2-sha512$i=3$MDEyMzQ1Njc4OWFiY2RlZg$JGmm85qGe+YsZ2q3eFKJM3VqCmgquCPuAO/IUfFkzL9NvP9GzNEIAHewqv"
            "zmMIczi5OZPjZeWNt6TswjsJkEZA"
        ),
        origin="computed with Python's hashlib for want of the original",
    ),
    Vector(
        form="PHC pbkdf2-sha512",
        password=UNICODE,
        encoded=(
            "$pbkdf2-sha512$i=3$MDEyMzQ1Njc4OWFiY2RlZg$Cs+DoUJIZpCAN1fcf5QyM2CayeE5AAbog7UpUDWc4OFUjNXyJskAQ9DNAq"
            "TIee/0eSW/AXmIGxpcqyDH50zSGg"
        ),
        origin="computed with Python's hashlib for want of the original",
    ),
    Vector(
        form="ASP.NET Identity sha256",
        password="my password",
        encoded=(
            "$aspnet-identity-v3$AQAAAAEAACcQAAAAEAABAgMEBQYHCAkKCwwNDg+yWU7rLgUwPZb1Itsmra7cbxw2EFpwpVFIEtP+JIuUEw=="
        ),
        origin="published in ASP.NET Core's PasswordHasherTest.cs",
    ),
    Vector(
        form="ASP.NET Identity sha512",
        password="my password",
        encoded="$aspnet-identity-v3$AQAAAAIAAAAyAAAAEOMwvh3+FZxqkdMBz2ekgGhwQ4B6pZWND6zgESBuWiHw",
        origin="published in ASP.NET Core's PasswordHasherTest.cs",
    ),
    Vector(
        form="ASP.NET Identity sha512",
        password="my password",
        encoded=(
            "$aspnet-identity-v3$AQAAAAIAAAD6AAAAIJbVi5wbMR+htSfFp8fTw8N8GOS/Sje+S/4YZcgBfU7EQuqv4OkVYmc4VJl9AGZz"
            "mRTxSkP7LtVi9IWyUxX8IAAfZ8v+ZfhjCcudtC1YERSqE1OEdXLW9VukPuJWBBjLuw=="
        ),
        origin="published in ASP.NET Core's PasswordHasherTest.cs",
    ),
    Vector(
        form="ASP.NET Identity sha1",
        password="my password",
        encoded="$aspnet-identity-v3$AQAAAAAAAAD6AAAAEAhftMyfTJylOlZT+eEotFXd1elee8ih5WsjXaR3PA9M",
        origin="published in ASP.NET Core's PasswordHasherTest.cs",
    ),
)

BY_FORM = {vector.form: vector for vector in reversed(VECTORS)}
"""The first of each form."""
