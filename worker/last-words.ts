/** What the last lines of a process that ended say about why. Guesses, from how shells, languages and frameworks put it. */

/** A variable that the lines ask for, and that the app has not. */
export interface MissingVariable {
  variable: string
  /** The line that says so. */
  line: string
}

/** Names that are nothing else: capitals with an underscore. Those without one may be any word that is shouted. */
const sure = '[A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9]'
const any = '[A-Z][A-Z0-9_]{2,}'
const quote = '["\'`“‘]?'
const endQuote = '["\'`”’]?'
/** These words in capitals or not: names are told from words by them, so a whole pattern can't overlook them. */
const said = (words: string) =>
  `(?:${words.replace(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`)})`

const isLacking =
  'not set|not defined|undefined|unset|missing|required|empty|not provided|not specified|not found|null'
const must =
  'must be set|must be defined|must not be empty|cannot be empty|needs to be set|has to be set|should be set'
const lacks = `(?: ?${said('is|was|are')}? ?${said(isLacking)}| ${said(must)})`

/** Each has the name as its first group. */
const patterns = [
  // sh: DATABASE_URL: parameter not set · bash: DATABASE_URL: unbound variable
  `\\b(${any}): (?:unbound variable|parameter (?:null or )?not set)`,
  // Python's os.environ[…], Ruby's ENV.fetch(…)
  `KeyError: ${quote}(${any})${endQuote}\\s*$`,
  `key not found: ${quote}(${any})${endQuote}`,
  // Missing required environment variable: DATABASE_URL
  `\\b${said('missing|required|undefined|unset|empty')}\\b.{0,40}\\b${said('env|environment')}\\b.{0,40}?\\b(${any})\\b`,
  // environment variable "DATABASE_URL" not found
  `\\b${said('env|environment')}\\b.{0,30}?${quote}\\b(${any})\\b${endQuote}${lacks}`,
  `\\b${said('environment variables? (?:not found|not set|missing)')}\\b.{0,10}?\\b(${any})\\b`,
  // DATABASE_URL environment variable is not set
  `\\b(${any})\\b${endQuote} (?:${said('environment|env')} )?${said('variable|var')}${lacks}`,
  // Could not resolve placeholder 'DATABASE_URL'
  `resolve placeholder ${quote}(${any})${endQuote}`,
  // You must specify POSTGRES_PASSWORD to a non-empty value
  `\\b${said('must|need to|have to|please')} ${said('specify|set|provide|define')}\\b.{0,20}?\\b(${sure})\\b`,
  // DATABASE_URL is not set · "DATABASE_URL": Required
  `\\b(${sure})\\b${endQuote}:?${lacks}\\b`,
  `\\b${said('missing')}:? ${quote}(${sure})\\b`,
  // Django
  `\\b(${sure})\\b setting must not be empty`,
].map((source) => new RegExp(source))

/** @param has whether the app was given a variable of this name, with something in it: then it is not what is missing. */
export function missingVariable(
  lines: readonly string[],
  has: (name: string) => boolean,
): MissingVariable | null {
  for (const line of [...lines].reverse()) {
    const text = line.replace(ansi, '').slice(0, longestLine)
    for (const pattern of patterns) {
      const [, variable] = pattern.exec(text) ?? []
      if (variable !== undefined && !has(variable)) return { variable, line: text.trim().slice(0, 300) }
    }
  }
  return null
}

/** The command that a shell or a starter did not find; null where the lines name none. */
export function missingCommand(lines: readonly string[]): string | null {
  for (const line of [...lines].reverse()) {
    for (const pattern of commands) {
      const [, command] = pattern.exec(line.replace(ansi, '').slice(0, longestLine)) ?? []
      if (command !== undefined) return command
    }
  }
  return null
}

const commands = [
  // sh: 1: foo: not found · bash: line 3: foo: command not found · sh: foo: not found
  /(?:^|[\s:])([^\s:'"]+): (?:command )?not found\s*$/,
  // env: 'foo': No such file or directory · exec foo failed: No such file or directory
  /^(?:\/\S*\/)?env: [‘'"]?([^\s:'"’]+)[’'"]?: No such file or directory/,
  /exec[: ]+["']?([^\s:'"]+)["']?(?: failed)?: (?:executable file not found|No such file or directory|no such file or directory)/,
]

/** The program that the runtime could not begin, since it, its interpreter or its loader is not there: crun's words. */
export function missingProgram(lines: readonly string[]): string | null {
  const [, program] =
    /^exec container process .*?`([^`]+)`: No such file or directory/.exec(lines.at(-1) ?? '') ?? []
  return program ?? null
}

/** Whether the lines say that a program is made for another processor. */
export function isOtherPlatform(lines: readonly string[]): boolean {
  return lines.some((line) => /exec(?:\(\))? format error|cannot execute binary file/i.test(line))
}

const longestLine = 2_000
// biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
const ansi = /\u001b\[[0-9;]*m/g
