-- Where functions are called: an address, and no secret of itself.
select s.decrypted_secret from vault.decrypted_secrets s where s.name = {name}
