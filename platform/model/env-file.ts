export interface EnvFile {
  variables: { name: string; value: string }[]
  /** Numbers of the lines that are neither variables, nor comments, nor empty; the first line is 1. */
  badLines: number[]
}

const assignment = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=[^\S\n]*/
const quoted = {
  '"': /^"((?:[^"\\]|\\[\s\S])*)"[^\S\n]*(?:#.*)?$/m,
  "'": /^'([^']*)'[^\S\n]*(?:#.*)?$/m,
}

/**
 * Reads what people keep in `.env` files: `NAME=value`, `export`, comments, single quotes as they are, double quotes
 * with `\n`, `\t`, `\"` and over several lines. Of a name that comes twice the last one counts, as in a shell.
 */
export function parseEnvFile(text: string): EnvFile {
  const variables = new Map<string, string>()
  const badLines: number[] = []
  let rest = text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n')
  let line = 1
  const take = (length: number) => {
    line += rest.slice(0, length).split('\n').length - 1
    rest = rest.slice(length)
  }
  while (rest !== '') {
    const end = endOfLine(rest)
    const current = rest.slice(0, end)
    const match = assignment.exec(current)
    if (match === null) {
      if (!/^\s*(#.*)?$/.test(current)) badLines.push(line)
      take(end + 1)
      continue
    }
    const [head, name = ''] = match
    const { value, length } = readValue(rest.slice(head.length))
    variables.set(name, value)
    take(head.length + length + 1)
  }
  return { variables: [...variables].map(([name, value]) => ({ name, value })), badLines }
}

function readValue(rest: string): { value: string; length: number } {
  const quote = rest.charAt(0)
  if (quote === '"' || quote === "'") {
    const match = quoted[quote].exec(rest)
    if (match !== null && match.index === 0) {
      const inner = match[1] ?? ''
      return { value: quote === '"' ? readEscapes(inner) : inner, length: match[0].length }
    }
  }
  const end = endOfLine(rest)
  const value = rest.slice(0, end).replace(/\s+#.*$/, '')
  return { value: value.trim(), length: end }
}

function endOfLine(text: string): number {
  const at = text.indexOf('\n')
  return at === -1 ? text.length : at
}

const escapes: Record<string, string> = { n: '\n', r: '\r', t: '\t', '\n': '' }

function readEscapes(text: string): string {
  return text.replace(/\\([\s\S])/g, (_, char: string) => escapes[char] ?? char)
}

/** Writes a file that parseEnvFile() reads back the same. `secrets` are named in comments, without their values. */
export function writeEnvFile(variables: readonly { name: string; value: string | null }[]): string {
  return variables
    .map(({ name, value }) => (value === null ? `# ${name} is a secret\n` : `${name}=${quote(value)}\n`))
    .join('')
}

function quote(value: string): string {
  if (/^[\w./:@%+,=-]*$/.test(value)) return value
  const escaped = value
    .replace(/[\\"]/g, '\\$&')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t')
  return `"${escaped}"`
}
