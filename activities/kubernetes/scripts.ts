/** What runs inside consumers. Constant texts: names come in as arguments, values never leave, and the last line proves that all was said. */
export const END_MARKER = 'end-of-answer';

/** Digests of variables named in the arguments: `name sha256 maskedSha256` a line, and `GOVUK_ENVIRONMENT` as it is. */
const DIGEST_RUBY = `
ARGV.each do |name|
  value = ENV[name].to_s
  puts [name, Digest::SHA256.hexdigest(value), Digest::SHA256.hexdigest(value[0, 8].to_s + value[-8, 8].to_s)].join(" ")
end
puts "environment " + ENV["GOVUK_ENVIRONMENT"].to_s
puts "${END_MARKER}"
`.trim();

const DIGEST_SH = `
for name in "$@"; do
  value=$(printenv "$name")
  whole=$(printf %s "$value" | sha256sum | cut -d" " -f1)
  first=$(printf %s "$value" | cut -c1-8)
  last=$(printf %s "$value" | tail -c 8)
  ends=$(printf %s%s "$first" "$last" | sha256sum | cut -d" " -f1)
  echo "$name $whole $ends"
done
echo "environment $GOVUK_ENVIRONMENT"
echo "${END_MARKER}"
`.trim();

/**
 * The smoke call twice: with the variable's token, then with a made-up one. Arguments: JSON of the call, application, variable.
 * Prints `own <returned|error class|unavailable>` and `made-up <…>`, never a value nor a message.
 */
const SMOKE_RUBY = `
require "json"
require "securerandom"
require "plek"
call = JSON.parse(ARGV[0])
begin
  require call["requires"]
rescue LoadError
  puts "own unavailable", "made-up unavailable", "${END_MARKER}"
  exit
end
url = Plek.respond_to?(:find) ? Plek.find(ARGV[1]) : Plek.new.find(ARGV[1])
try = lambda do |token|
  client = GdsApi.const_get(call["adapter"]).new(url, bearer_token: token)
  client.public_send(call["method"], *call["positional"], **call["keyword"].transform_keys(&:to_sym))
  "returned"
rescue StandardError => e
  e.class.name
end
puts "own " + try.call(ENV[ARGV[2]])
puts "made-up " + try.call(SecureRandom.urlsafe_base64(32))
puts "${END_MARKER}"
`.trim();

export const digestWithRuby = (variables: string[]): string[] => [
  'ruby',
  '-rdigest',
  '-e',
  DIGEST_RUBY,
  '--', // what follows is never an option of Ruby's, whatever it begins with
  ...variables,
];
export const digestWithShell = (variables: string[]): string[] => ['sh', '-c', DIGEST_SH, 'sh', ...variables];
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
