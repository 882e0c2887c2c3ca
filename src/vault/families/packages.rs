//! Names of JavaScript runtimes, and of package managers that serve several languages.

use super::family::Family;

pub(super) const FAMILIES: [Family; 4] = [
    Family {
        title: "Node.js, Deno, and Bun",
        reason: "the runtime takes it as options, or loads what it names",
        prefixes: "TS_NODE_",
        except: "",
        names: "NODE_OPTIONS NODE_PATH NODE_REPL_EXTERNAL_MODULE NODE_REPL_HISTORY
            NODE_COMPILE_CACHE NODE_V8_COVERAGE NODE_REDIRECT_WARNINGS NODE_ICU_DATA
            NODE_CONFIG_DIR NODE_GYP_FORCE_PYTHON NODE_CHANNEL_FD NODE_DEBUG_OPTION
            NODE_INSPECT_RESUME_ON_START TSX_TSCONFIG_PATH DENO_DIR DENO_V8_FLAGS
            DENO_INSTALL_ROOT DENO_COVERAGE_DIR BUN_OPTIONS BUN_INSTALL BUN_INSPECT
            BUN_INSPECT_PRELOAD BUN_RUNTIME_TRANSPILER_CACHE_PATH BUN_CONFIG_REGISTRY
            ELECTRON_RUN_AS_NODE ELECTRON_OVERRIDE_DIST_PATH",
    },
    Family {
        title: "npm, Yarn, pnpm, and Corepack",
        reason: "it is a setting of the package manager, and such settings start programs",
        // npm reads its settings in any case.
        prefixes: "npm_config_ npm_package_ npm_lifecycle_ pnpm_config_ YARN_ COREPACK_",
        except: "npm_config__auth npm_config__authToken npm_config__password npm_config_username
            npm_config_email npm_config_token npm_config_*_token npm_config_production
            npm_config_loglevel YARN_NPM_AUTH_TOKEN YARN_NPM_AUTH_IDENT YARN_AUTH_TOKEN
            YARN_TOKEN YARN_VERSION YARN_PRODUCTION YARN_ENABLE_TELEMETRY COREPACK_NPM_TOKEN
            COREPACK_NPM_USERNAME COREPACK_NPM_PASSWORD",
        names: "npm_execpath npm_node_execpath npm_command INIT_CWD PNPM_HOME PNPM_SCRIPT_SRC_DIR",
    },
    Family {
        title: "JavaScript's tools",
        reason: "the tool starts or loads what it names",
        prefixes: "",
        except: "",
        names: "ESBUILD_BINARY_PATH SASS_BINARY_PATH SASS_BINARY_DIR SASS_BINARY_SITE
            SWC_BINARY_PATH BIOME_BINARY TURBO_BINARY_PATH LEFTHOOK_BIN LEFTHOOK_CONFIG
            CYPRESS_RUN_BINARY CYPRESS_INSTALL_BINARY CYPRESS_CACHE_FOLDER MOCHA_OPTIONS
            PUPPETEER_EXECUTABLE_PATH PUPPETEER_CACHE_DIR PLAYWRIGHT_BROWSERS_PATH
            PLAYWRIGHT_NODEJS_PATH PRISMA_QUERY_ENGINE_BINARY PRISMA_QUERY_ENGINE_LIBRARY
            PRISMA_SCHEMA_ENGINE_BINARY PRISMA_MIGRATION_ENGINE_BINARY PRISMA_FMT_BINARY
            PRISMA_INTROSPECTION_ENGINE_BINARY REACT_EDITOR LAUNCH_EDITOR",
    },
    Family {
        title: "Package managers of the system",
        reason: "it is a setting of the package manager, and such settings start programs",
        prefixes: "DPKG_ HOMEBREW_ NIX_",
        except: "HOMEBREW_*_TOKEN HOMEBREW_DOCKER_REGISTRY_BASIC_AUTH_TOKEN HOMEBREW_NO_ANALYTICS
            HOMEBREW_NO_AUTO_UPDATE",
        names: "APT_CONFIG APT_LISTCHANGES_FRONTEND DEBCONF_DB_OVERRIDE DEBCONF_SYSTEMRC
            RPM_CONFIGDIR FAKEROOTKEY",
    },
];
