//! Names of the system itself: where programs and their libraries are found, and what starts first.

use super::family::Family;

pub(super) const FAMILIES: [Family; 7] = [
    Family {
        title: "vault",
        reason: "vault itself reads it",
        prefixes: "VAULT_KEY",
        except: "",
        names: "VAULT_DIR VAULT_ENVIRONMENT VAULT_ID",
    },
    Family {
        title: "Search paths and base folders",
        reason: "programs are found, and read their settings, in the place that it names",
        prefixes: "XDG_",
        except: "",
        names: "PATH HOME SHELL PWD OLDPWD TMPDIR TMP TEMP TEMPDIR COMSPEC PATHEXT PSMODULEPATH
            SYSTEMROOT WINDIR USERPROFILE HOMEDRIVE HOMEPATH APPDATA LOCALAPPDATA PROGRAMDATA
            ALLUSERSPROFILE",
    },
    Family {
        title: "Loaders and the C library",
        reason: "it decides which libraries are loaded into a program",
        prefixes: "LD_ DYLD_ __XPC_",
        // LaunchDarkly's keys are often abbreviated like this.
        except: "LD_SDK_KEY LD_*_SDK_KEY LD_*_TOKEN LD_API_KEY LD_CLIENT_ID LD_CLIENT_KEY
            LD_CLIENT_SIDE_ID LD_CLIENT_SIDE_KEY LD_CLIENTSIDE_ID LD_MOBILE_KEY LD_ENV LD_ENV_KEY
            LD_ENVIRONMENT LD_ENVIRONMENT_KEY LD_PROJECT_KEY LD_SERVER_KEY LD_RELAY_URL",
        names: "LOCALDOMAIN RES_OPTIONS RESOLV_HOST_CONF NIS_PATH PATH_LOCALE TZDIR LDR_PRELOAD
            LDR_PRELOAD64 LDR_CNTRL LIBPATH SHLIB_PATH _RLD_LIST GLIBC_TUNABLES GCONV_PATH
            GETCONF_DIR LOCPATH NLSPATH MUSL_LOCPATH MALLOC_TRACE HOSTALIASES ASAN_OPTIONS
            ASAN_SYMBOLIZER_PATH LSAN_OPTIONS MSAN_OPTIONS MSAN_SYMBOLIZER_PATH QEMU_LD_PREFIX
            QEMU_SET_ENV WINEDLLPATH WINELOADER WINEPREFIX WINESERVER TSAN_OPTIONS UBSAN_OPTIONS
            LLVM_SYMBOLIZER_PATH LLVM_PROFILE_FILE",
    },
    Family {
        title: "Libraries that load plugins",
        reason: "a library loads plugins, or starts a program, from the place that it names",
        prefixes: "GIO_ GST_PLUGIN_ OMPI_MCA_ PRTE_MCA_ PMIX_MCA_ DBUS_",
        except: "",
        names: "OPENSSL_CONF OPENSSL_CONF_INCLUDE OPENSSL_MODULES OPENSSL_ENGINES KRB5_CONFIG
            GSS_MECH_CONFIG SASL_PATH SASL_CONF_PATH P11_KIT_CONFIG ODBCINI ODBCINSTINI
            ODBCSYSINI LIBMYSQL_PLUGINS LIBMYSQL_PLUGIN_DIR MARIADB_PLUGIN_DIR PGSYSCONFDIR
            MYSQL_HOME ORACLE_HOME SQLPATH GDAL_DRIVER_PATH GDAL_PYTHON_DRIVER_PATH
            HDF5_PLUGIN_PATH MAGICK_CODER_MODULE_PATH MAGICK_FILTER_MODULE_PATH
            MAGICK_CONFIGURE_PATH MAGICK_HOME GTK_MODULES GTK3_MODULES GTK_PATH GTK_EXE_PREFIX
            GTK_IM_MODULE_FILE GDK_PIXBUF_MODULE_FILE GDK_PIXBUF_MODULEDIR GST_REGISTRY
            QT_PLUGIN_PATH QT_QPA_PLATFORM_PLUGIN_PATH QML_IMPORT_PATH QML2_IMPORT_PATH
            LIBGL_DRIVERS_PATH LIBVA_DRIVERS_PATH VK_LAYER_PATH VK_ADD_LAYER_PATH
            VK_ICD_FILENAMES VK_DRIVER_FILES OCL_ICD_VENDORS OCL_ICD_FILENAMES ALSA_CONFIG_PATH
            ALSA_CONFIG_DIR ALSA_PLUGIN_DIR LADSPA_PATH LV2_PATH FREI0R_PATH BABL_PATH GEGL_PATH
            HWLOC_PLUGINS_PATH LIBVIRT_DRIVER_DIR LIBVIRT_DEFAULT_URI VIRSH_DEFAULT_CONNECT_URI",
    },
    Family {
        title: "Shells",
        reason: "a shell runs it, or a file that it names, when it starts or shows its prompt",
        prefixes: "BASH_",
        except: "",
        names: "ENV BASHOPTS SHELLOPTS PROMPT_COMMAND PS0 PS1 PS2 PS3 PS4 IFS CDPATH GLOBIGNORE
            EXECIGNORE MAILPATH HISTFILE INPUTRC EDITRC FPATH ZDOTDIR ZSH ZSH_CUSTOM TMPPREFIX
            NULLCMD READNULLCMD fish_user_paths fish_function_path fish_complete_path
            __fish_config_dir NU_LIB_DIRS NU_PLUGIN_DIRS XONSHRC XONSHRC_DIR STARSHIP_CONFIG
            STARSHIP_SHELL",
    },
    Family {
        title: "Terminals",
        reason: "a terminal's description can name programs to start",
        prefixes: "",
        except: "",
        names: "TERMINFO TERMINFO_DIRS TERMCAP TERMPATH SCREENRC SYSSCREENRC TMUX TMUX_TMPDIR
            CHROME_DEVEL_SANDBOX",
    },
    Family {
        title: "Managers of tool versions and environments",
        reason: "it decides which interpreter or tool is started, or which commands a shell hook runs",
        prefixes: "ASDF_ CONDA_ DIRENV_ JENV_ MAMBA_ MISE_ NODENV_ NVM_ PYENV_ RBENV_ RTX_ RVM_
            VIRTUALENV_ VIRTUALENVWRAPPER_",
        except: "CONDA_TOKEN CONDA_API_TOKEN CONDA_UPLOAD_TOKEN MISE_GITHUB_TOKEN",
        names: "CONDARC VIRTUAL_ENV WORKON_HOME SDKMAN_DIR VOLTA_HOME FNM_DIR FNM_MULTISHELL_PATH
            N_PREFIX GOENV_ROOT TFENV_ROOT TFENV_CONFIG_DIR HERMIT_ENV",
    },
];
