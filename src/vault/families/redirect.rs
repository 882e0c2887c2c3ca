//! Names that are accepted, because their values are often secrets, and mentioned when they are
//! set, because their values decide where programs connect, whom they believe, or which settings
//! they follow.

use super::family::is_like;

/// Names that redirect programs in one way.
pub struct Redirect {
    /// What they are.
    pub title: &'static str,
    /// What such a name decides, as the end of a sentence about it.
    pub decides: &'static str,
    /// The names. One `*` means any text.
    pub names: &'static str,
}

pub(super) const REDIRECTS: [Redirect; 5] = [
    Redirect {
        title: "Proxies",
        decides: "which proxy sees the traffic of programs",
        names: "http_proxy https_proxy ftp_proxy all_proxy no_proxy rsync_proxy socks_proxy
            socks5_proxy ws_proxy wss_proxy PIP_PROXY CARGO_HTTP_PROXY GLOBAL_AGENT_HTTP_PROXY
            GLOBAL_AGENT_HTTPS_PROXY",
    },
    Redirect {
        title: "Package indexes",
        decides: "where packages, whose code is run, come from",
        names: "PIP_INDEX PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_FIND_LINKS PIP_TRUSTED_HOST
            UV_INDEX UV_INDEX_URL UV_EXTRA_INDEX_URL UV_DEFAULT_INDEX UV_FIND_LINKS
            UV_INSECURE_HOST UV_PUBLISH_URL POETRY_REPOSITORIES_*_URL PIPENV_PYPI_MIRROR
            PDM_PYPI_URL TWINE_REPOSITORY_URL GOPROXY GOSUMDB GONOSUMDB GONOSUMCHECK GOINSECURE
            CARGO_REGISTRIES_*_INDEX BUNDLE_MIRROR__* RUBYGEMS_HOST GEM_HOST HEX_MIRROR
            HEX_MIRROR_URL HEX_CDN PUB_HOSTED_URL FLUTTER_STORAGE_BASE_URL MVNW_REPOURL
            PRISMA_ENGINES_MIRROR DEBUGINFOD_URLS",
    },
    Redirect {
        title: "Certificates",
        decides: "whose certificates programs believe",
        names: "SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE CURL_SSL_BACKEND
            AWS_CA_BUNDLE NODE_EXTRA_CA_CERTS NODE_TLS_REJECT_UNAUTHORIZED DENO_CERT
            DENO_TLS_CA_STORE PIP_CERT PIP_CLIENT_CERT UV_NATIVE_TLS UV_SYSTEM_CERTS
            CARGO_HTTP_CAINFO HTTPLIB2_CA_CERTS GRPC_DEFAULT_SSL_ROOTS_FILE_PATH
            WEBSOCKET_CLIENT_CA_BUNDLE HEX_CACERTS_PATH HEX_UNSAFE_HTTPS PGSSLROOTCERT
            CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE VAULT_CACERT VAULT_CAPATH VAULT_SKIP_VERIFY
            BAO_CACERT BAO_CAPATH BAO_SKIP_VERIFY SSLKEYLOGFILE",
    },
    Redirect {
        title: "Clusters and container hosts",
        decides: "which server runs what programs ask for, or which helpers are started",
        names: "KUBECONFIG DOCKER_HOST DOCKER_CONTEXT DOCKER_CERT_PATH DOCKER_TLS_VERIFY
            CONTAINER_HOST CONTAINER_CONNECTION BUILDKIT_HOST",
    },
    Redirect {
        title: "Credential and service files",
        decides: "which account or server programs use; such a file can also start helpers",
        names: "AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_ENDPOINT_URL AWS_ENDPOINT_URL_*
            NETRC PGSERVICEFILE PGPASSFILE LDAPRC LDAPCONF SSH_AUTH_SOCK REGISTRY_AUTH_FILE",
    },
];

/// How `name` redirects programs, if it does. Case does not matter.
#[must_use]
pub fn redirect_of(name: &str) -> Option<&'static Redirect> {
    REDIRECTS.iter().find(|redirect| {
        redirect
            .names
            .split_whitespace()
            .any(|pattern| is_like(name, pattern))
    })
}
