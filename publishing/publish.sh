#!/usr/bin/env bash
# Publishes the two tarballs in release/ from GitHub Actions: the verifiable build as `latest`, the other as `pooled`.
# A tarball that is published already is skipped, so a run that ended between the two can be repeated.
#   bash publishing/publish.sh [--dry-run]
set -euo pipefail
cd "$(dirname "$0")/../release"
dry_run=${1:-}
# Without a network nobody waits for the next try: a dry run needs no answer of the registry.
options=(${dry_run:+--dry-run --fetch-retries=0})

# Older versions do not know Trusted Publishing, and would only say that nobody is logged in.
required=11.5.1
if [[ ! $dry_run && $(printf '%s\n' "$required" "$(npm --version)" | sort -V | head -n 1) != "$required" ]]; then
	echo "npm $(npm --version) is too old: Trusted Publishing needs $required" >&2
	exit 1
fi

shopt -s nullglob
tarballs=(*.tgz)
pooled=(*-pooled.*.tgz)
if [[ ${#tarballs[@]} != 2 || ${#pooled[@]} != 1 ]]; then
	echo "release/ should hold two tarballs, one of them pooled, and holds: ${tarballs[*]:-none}" >&2
	exit 1
fi

publish() {
	local file=$1 spec published
	shift
	spec=$(tar -xzOf "$file" package/package.json |
		node -p 'const { name, version } = JSON.parse(require("node:fs").readFileSync(0, "utf8")); `${name}@${version}`')
	# Empty if the registry does not have this version, or gives no answer; then publishing tells which.
	published=$(npm view "$spec" dist.integrity "${options[@]}" 2>/dev/null || true)
	if [[ ! $published ]]; then
		npm publish "./$file" --provenance "${options[@]}" "$@"
	elif [[ $published == "sha512-$(openssl dgst -sha512 -binary "$file" | base64 --wrap=0)" ]]; then
		echo "$spec is published already"
	else
		echo "$spec is published already, with another content: it needs another version" >&2
		[[ $dry_run ]]
	fi
}

for file in "${tarballs[@]}"; do
	# Without a tag npm takes `latest`, and refuses to if a higher version is there.
	if [[ $file != "${pooled[0]}" ]]; then publish "$file"; fi
done
publish "${pooled[0]}" --tag pooled
