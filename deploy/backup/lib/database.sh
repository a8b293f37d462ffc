# shellcheck shell=bash
# shellcheck disable=SC2030,SC2031,SC2034 # what one of these files sets, others use
# Connections and questions to the database. Passwords go through the environment of one process, never through
# arguments, which every user of the machine can read.

declare -A TARGET=() ADMIN=()

decoded() {
    local text=${1//\\/\\\\}
    printf '%b' "${text//%/\\x}"
}

# parse_url URL NAME-OF-AN-ARRAY WHAT: fills the array with libpq's variables.
parse_url() {
    local -n into=$2
    local rest authority query host pair name
    [[ $1 =~ ^postgres(ql)?:// ]] || fail 78 "$3 must begin with postgresql://"
    rest=${1#*://}
    query=
    if [[ $rest == *\?* ]]; then
        query=${rest#*\?}
        rest=${rest%%\?*}
    fi
    authority=${rest%%/*}
    if [[ $rest == */* ]]; then into[PGDATABASE]=$(decoded "${rest#*/}"); fi
    if [[ $authority == *@* ]]; then
        name=${authority%@*}
        into[PGUSER]=$(decoded "${name%%:*}")
        if [[ $name == *:* ]]; then into[PGPASSWORD]=$(decoded "${name#*:}"); fi
    fi
    host=${authority##*@}
    if [[ $host == *,* ]]; then fail 78 "$3 must name one host"; fi
    if [[ $host =~ :([0-9]+)$ ]]; then
        into[PGPORT]=${BASH_REMATCH[1]}
        host=${host%:*}
    fi
    host=${host#[}
    if [[ -n $host ]]; then into[PGHOST]=$(decoded "${host%]}"); fi
    while IFS= read -r pair; do
        name=${pair%%=*}
        case $name in
            '') ;;
            host | port | user | password | sslmode | sslrootcert | sslcert | sslkey)
                name=PG${name^^}
                into["$name"]=$(decoded "${pair#*=}")
                ;;
            dbname) into[PGDATABASE]=$(decoded "${pair#*=}") ;;
            connect_timeout | application_name) ;;
            *) fail 78 "$3 has the parameter $name, which backups do not understand" ;;
        esac
    done < <(tr '&' '\n' <<<"$query")
}

# From the settings of the backend. Without an administrator of its own, the backend's role has to do.
read_connections() {
    local url
    url=$(value DATABASE_URL)
    if [[ -n $url ]]; then
        parse_url "$url" TARGET DATABASE_URL
    else
        TARGET[PGHOST]=$(value POSTGRES_HOST localhost)
        TARGET[PGPORT]=$(value POSTGRES_PORT 5432)
        TARGET[PGUSER]=$(value POSTGRES_USER)
        TARGET[PGPASSWORD]=$(value POSTGRES_PASSWORD)
        TARGET[PGDATABASE]=$(value POSTGRES_DB "${TARGET[PGUSER]}")
    fi
    [[ -n ${TARGET[PGUSER]:-} && -n ${TARGET[PGDATABASE]:-} ]] ||
        fail 78 "DATABASE_URL, or POSTGRES_HOST, _USER, _PASSWORD and _DB, must name the database and its role"
    [[ ${TARGET[PGDATABASE]} != *$'\n'* && ${#TARGET[PGDATABASE]} -le 40 ]] ||
        fail 78 "the name of the database may have 40 characters, so that one beside it can be named after it"
    url=$(value PLANTOPS_BACKUP_ADMIN_URL)
    if [[ -n $url ]]; then
        parse_url "$url" ADMIN PLANTOPS_BACKUP_ADMIN_URL
    else
        local name
        for name in "${!TARGET[@]}"; do ADMIN[$name]=${TARGET[$name]}; done
        ADMIN[PGDATABASE]=postgres
    fi
}

# as_admin DATABASE COMMAND...: one of PostgreSQL's programs, as the administrator.
as_admin() (
    unset PGHOST PGPORT PGUSER PGPASSWORD PGSERVICE PGOPTIONS
    for name in "${!ADMIN[@]}"; do export "$name=${ADMIN[$name]}"; done
    export PGDATABASE=$1 PGCONNECT_TIMEOUT=10 PGAPPNAME=plantops-backup PGTZ=UTC
    # What the setup limits for the backend's sake must not end a long dump.
    export PGOPTIONS="-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0 -c client_min_messages=warning ${OPTIONS:-}"
    shift
    exec "$@" 8>&-
)

# sql [DATABASE] [PSQL ARGUMENTS...]: runs the standard input.
sql() {
    local database=${1:-${ADMIN[PGDATABASE]:-postgres}}
    if (($# > 0)); then shift; fi
    as_admin "$database" psql -XqAt -v ON_ERROR_STOP=1 "$@"
}

database_exists() { [[ $(sql '' -v name="$1" <<<"SELECT 1 FROM pg_database WHERE datname = :'name'") == 1 ]]; }

# Rows per table as one line of JSON. Partitions are counted with their parents, and TimescaleDB's aggregates because
# they have contents of their own.
counts_sql() {
    cat <<'SQL'
SELECT coalesce(string_agg(format('SELECT %L AS name, count(*) AS rows FROM %I.%I', relation, 'public', relation),
                           ' UNION ALL '), 'SELECT NULL::text AS name, 0 AS rows WHERE false') AS query
FROM (
    SELECT c.relname AS relation FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
SQL
    if [[ $1 == timescale ]]; then
        echo "UNION ALL SELECT view_name FROM timescaledb_information.continuous_aggregates WHERE view_schema = 'public'"
    fi
    cat <<'SQL'
) AS relations \gset
SELECT json_object_agg(name, rows ORDER BY name) FROM (:query) AS counted;
SQL
}

# The first and last reading, as one line of JSON.
readonly SPAN_SQL="SELECT json_build_object('from', to_char(min(time), 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'),
    'to', to_char(max(time), 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')) FROM telemetry;"

# What kind of database it is, as one line of JSON.
readonly IDENTITY_SQL="SELECT json_build_object(
    'database', current_database(), 'owner', (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'schema_migrations'::regclass),
    'schema', (SELECT max(version) FROM schema_migrations),
    'kind', (SELECT replace(name, 'telemetry_', '') FROM schema_migrations WHERE version = 2),
    'postgresql', current_setting('server_version'), 'postgresql_major', current_setting('server_version_num')::int / 10000,
    'timescaledb', (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'),
    'database_bytes', pg_database_size(current_database()));"

# The ids of the keys under which the database's own secrets are sealed, as one line of JSON. A value begins with a
# version and the id (Sealer). Columns that an older schema lacks are passed over.
sealed_sql() {
    local columns
    columns=$(facts sealed | sed "s/.*/('&')/" | paste -sd,)
    cat <<SQL
SELECT coalesce(string_agg(format('SELECT encode(substr(%I, 2, 8), ''hex'') AS id FROM %I WHERE %1\$I IS NOT NULL',
                                  column_name, table_name), ' UNION '), 'SELECT NULL::text AS id WHERE false') AS query
FROM information_schema.columns WHERE table_schema = 'public' AND table_name || '.' || column_name IN ($columns) \\gset
SELECT coalesce(json_agg(id ORDER BY id), '[]') FROM (:query) AS ids;
SQL
}
