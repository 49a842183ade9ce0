# What .ci/run and .ci/nightly share: steps and the table of their seconds, Debian packages, and a
# virtual environment of their own.

step_names=()
step_seconds=()
step_begun=$SECONDS

end_step() {
    if ((${#step_names[@]} > ${#step_seconds[@]})); then
        step_seconds+=($((SECONDS - step_begun)))
    fi
}

# step NAME: ends the last one.
step() {
    end_step
    step_names+=("$*")
    step_begun=$SECONDS
    echo
    echo "=== $*"
}

# Whether so many minutes are not over yet. Machines differ by a factor of two or three, and a run has
# to end: what a slow one has no time for is left to .ci/nightly, and named at the end.
left=()
before() {
    if [[ -n ${QCODEC_NO_DEADLINE:-} ]] || ((SECONDS < 60 * $1)); then
        return 0
    fi
    left+=("$2")
    return 1
}

# Runs when the script ends, however it ends.
finish() {
    local status=$? i
    end_step
    echo
    echo "seconds  step"
    for i in "${!step_names[@]}"; do
        printf '%7d  %s\n' "${step_seconds[$i]}" "${step_names[$i]}"
    done
    printf '%7d  in all\n' "$SECONDS"
    for i in "${left[@]}"; do
        echo "left to .ci/nightly, as this machine is slow: $i"
    done
    if ((status != 0)); then
        echo "FAILED in: ${step_names[-1]:-the beginning}"
    fi
    rm -rf "$workplace"
    exit "$status"
}

workplace=$(mktemp -d)
trap finish EXIT

# What a Debian package is needed for (a command or a header), and its name.
debian=(
    clang:clang
    qemu-aarch64-static:qemu-user-static
    aarch64-linux-gnu-gcc:gcc-aarch64-linux-gnu
    s390x-linux-gnu-gcc:gcc-s390x-linux-gnu
    i686-linux-gnu-gcc:gcc-i686-linux-gnu
    simde/x86/avx512.h:libsimde-dev
    chromium:chromium
)

is_there() {
    case $1 in
    *.h) echo "#include <$1>" | ${CC:-cc} -E -Wno-psabi - >/dev/null 2>&1 ;;
    *) command -v "$1" >/dev/null ;;
    esac
}

# Install what is missing, where there is apt-get and the right to use it.
install_debian_packages() {
    local entry missing=()
    for entry in "${debian[@]}"; do
        is_there "${entry%%:*}" || missing+=("${entry#*:}")
    done
    if ((${#missing[@]} == 0)); then
        echo "all are there"
        return
    fi
    echo "missing: ${missing[*]}"
    if command -v apt-get >/dev/null; then
        DEBIAN_FRONTEND=noninteractive apt-get update -qq &&
            DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >/dev/null || true
    fi
    for entry in "${debian[@]}"; do
        if ! is_there "${entry%%:*}"; then
            echo "ci: ${entry%%:*} is needed: install it (Debian: ${entry#*:})" >&2
            exit 1
        fi
    done
}

# A new environment, first on PATH, that sees nothing of the caller's.
make_environment() {
    python3 -m venv "$workplace/environment"
    export PATH="$workplace/environment/bin:$PATH"
    unset PYTHONPATH PYTHONHOME
    export PYTEST_ADDOPTS=--durations=15
    python --version
    # The extras `torch` and `transformers` would take the newest, which may bring CUDA.
    pip install --quiet "torch==2.13.0" "matplotlib>=3.8" "transformers==5.24.0" "accelerate==1.15.0"
}
