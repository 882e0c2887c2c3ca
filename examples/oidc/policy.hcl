# CONTEXT is the vault's id and the environment, in base64.
path "transit/decrypt/vault-ci" {
  capabilities = ["update"]
  required_parameters = ["ciphertext", "context"]
  allowed_parameters = {
    "ciphertext" = []
    "context" = ["CONTEXT"]
  }
}
