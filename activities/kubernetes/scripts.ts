import type { SmokeCall } from '../../domain/settings/index.ts';

/**
 * What runs inside consumers. Constant texts: names come in as arguments, values never leave, and
 * the last line proves that all was said.
 */
export const END_MARKER = 'end-of-answer';

/** Characters of a Signon token: URL-safe base64. */
const TOKEN_LENGTH = 43;
/**
 * In a run of more such characters, a token is looked for at both ends; in a shorter one,
 * everywhere.
 */
const LONGEST_RUN = 64;

/** What a shell must make of `x` before its digests are believed. */
const SHA256_OF_X = '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881';

/** The pieces of a value that have a token's shape, as the census finds them. */
export function tokenShapedIn(value: string): string[] {
  const runs = value.match(new RegExp(`[A-Za-z0-9_-]{${TOKEN_LENGTH},}`, 'g')) ?? [];
  return runs.flatMap((run) => {
    const last = run.length - TOKEN_LENGTH;
    const starts =
      run.length > LONGEST_RUN ? [0, last] : Array.from({ length: last + 1 }, (_, at) => at);
    return starts.map((at) => run.slice(at, at + TOKEN_LENGTH));
  });
}

const ANY_TOKEN = '?'.repeat(TOKEN_LENGTH);

/**
 * The census: walks the container's own variables and prints `token <sha256> <maskedSha256> <name>`
 * for each piece of a value that has a token's shape, wherever it stands, then the environment's
 * name. Takes no arguments and prints no value. The shell's own `printf` feeds the hashes: no value
 * becomes another program's argument, and none is written to a file.
 */
const CENSUS_SH = `
set -f
LC_ALL=C
command -v sha256sum >/dev/null && command -v tr >/dev/null && [ -r /proc/$$/environ ] || exit 120
case $(type printf) in *builtin*) ;; *) exit 120 ;; esac
IFS='
'
digest_of() {
  digest=$(printf %s "$1" | sha256sum) || exit 121
  digest=\${digest%% *}
}
tell() {
  digest_of "$1"
  whole=$digest
  after_first=\${1#????????}
  before_last=\${1%????????}
  digest_of "\${1%"$after_first"}\${1#"$before_last"}"
  printf 'token %s %s %s\\n' "$whole" "$digest" "$name"
}
digest_of x
[ "$digest" = ${SHA256_OF_X} ] || exit 120
variables=$(tr '\\n\\000' ' \\n' </proc/$$/environ) && [ -n "$variables" ] || exit 121
for variable in $variables; do
  name=\${variable%%=*}
  value=\${variable#*=}
  [ \${#value} -ge ${TOKEN_LENGTH} ] || continue
  runs=$(printf %s "$value" | tr -c 'A-Za-z0-9_-' '\\n') || exit 121
  for run in $runs; do
    if [ \${#run} -gt ${LONGEST_RUN} ]; then
      tell "\${run%"\${run#${ANY_TOKEN}}"}"
      run=\${run#"\${run%${ANY_TOKEN}}"}
    fi
    while [ \${#run} -ge ${TOKEN_LENGTH} ]; do
      tell "\${run%"\${run#${ANY_TOKEN}}"}"
      run=\${run#?}
    done
  done
done
echo "environment $GOVUK_ENVIRONMENT"
echo "${END_MARKER}"
`.trim();

/** The same, for a container without such a shell. */
const CENSUS_RUBY = `
ENV.each do |name, value|
  value.b.scan(/[A-Za-z0-9_-]{${TOKEN_LENGTH},}/n) do |run|
    last = run.length - ${TOKEN_LENGTH}
    (run.length <= ${LONGEST_RUN} ? (0..last) : [0, last]).each do |from|
      piece = run[from, ${TOKEN_LENGTH}]
      puts ["token", Digest::SHA256.hexdigest(piece), Digest::SHA256.hexdigest(piece[0, 8] + piece[-8, 8]), name].join(" ")
    end
  end
end
puts "environment " + ENV["GOVUK_ENVIRONMENT"].to_s
puts "${END_MARKER}"
`.trim();

/**
 * The smoke call twice: with the variable's token, then with a made-up one. Arguments: JSON of the
 * call, application, variable. Prints `own <returned|error class|unavailable error class>` and
 * `made-up <…>`, never a value nor a message. Adapters have errors of their own, e.g.
 * `GdsApi::ContentStore::ItemNotFound`: the class they are of counts.
 */
const SMOKE_RUBY = `
require "json"
require "securerandom"
TELLING = %w[GdsApi::HTTPNotFound GdsApi::HTTPUnauthorized GdsApi::HTTPForbidden]
call = JSON.parse(ARGV[0])
begin
  require "plek"
  require call["requires"]
  url = Plek.respond_to?(:find) ? Plek.find(ARGV[1]) : Plek.new.find(ARGV[1])
  adapter = GdsApi.const_get(call["adapter"])
rescue LoadError, StandardError => e
  puts "own unavailable " + e.class.name, "made-up unavailable", "${END_MARKER}"
  exit
end
unless ENV[ARGV[2]].to_s.strip.match?(/\\A[A-Za-z0-9_-]{${TOKEN_LENGTH}}\\z/)
  puts "own unavailable MoreThanToken", "made-up unavailable", "${END_MARKER}"
  exit
end
try = lambda do |token|
  client = adapter.new(url, bearer_token: token)
  client.public_send(call["method"], *call["positional"], **call["keyword"].transform_keys(&:to_sym))
  "returned"
rescue StandardError => e
  (e.class.ancestors.map(&:name) & TELLING).first || e.class.name
end
puts "own " + try.call(ENV[ARGV[2]])
puts "made-up " + try.call(SecureRandom.urlsafe_base64(32))
puts "${END_MARKER}"
`.trim();

/**
 * A smoke call as an argument: always the same text for the same call, since the exec policy
 * compares it.
 */
export function textOf({ adapter, requires, method, positional, keyword }: SmokeCall): string {
  return JSON.stringify({ adapter, requires, method, positional, keyword });
}

/**
 * What a program is called where it is refused; the policy for exec is made from the same texts.
 */
export function programName(command: readonly string[]): string {
  if (command === censusWithShell) return 'census (sh)';
  if (command === censusWithRuby) return 'census (Ruby)';
  return command.includes(SMOKE_RUBY) ? 'smoke call (Ruby)' : 'another program';
}

export const censusWithShell: string[] = ['sh', '-c', CENSUS_SH];
export const censusWithRuby: string[] = ['ruby', '-rdigest', '-e', CENSUS_RUBY];
export const smokeWithRuby = (call: string, application: string, variable: string): string[] => [
  'bundle',
  'exec',
  'ruby',
  '-e',
  SMOKE_RUBY,
  '--',
  call,
  application,
  variable,
];
