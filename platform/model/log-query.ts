/**
 * What one types to search logs. Terms stand beside each other and must all be true of a line:
 *
 *   timeout             the text occurs, in any case
 *   "GET /api"          exactly this text
 *   /user \d+/i         a regular expression of JavaScript
 *   level:error         what the line says of its level; `level:>=warn` is that and worse
 *   user.id:42          a field of a line of JSON, or of key=value; `path:/api/*` any that begin so
 *   -healthz            not
 */
import { type LogLineLevel, levelNamed, levelOf, logLineLevels } from './log-level.ts'

export type LogTerm =
  | { kind: 'text'; text: string; isExact: boolean; isNegated: boolean }
  | { kind: 'regex'; source: string; flags: string; isNegated: boolean }
  | { kind: 'level'; level: LogLineLevel; orWorse: boolean; isNegated: boolean }
  | { kind: 'field'; path: string; value: string; isPrefix: boolean; isNegated: boolean }

/** What can be wrong, for whoever says it in another language. `detail` is what was typed, or where a limit is. */
export interface LogQueryProblem {
  kind: 'length' | 'terms' | 'quote' | 'quoted' | 'flags' | 'regex' | 'level'
  detail: string
}

export class LogQueryError extends Error {
  readonly problem: LogQueryProblem

  constructor(message: string, kind: LogQueryProblem['kind'], detail: string | number = '') {
    super(message)
    this.problem = { kind, detail: String(detail) }
  }
}

export const maxLogQueryChars = 500
const maxTerms = 20

/** Throws LogQueryError with a sentence for whoever typed it. */
export function parseLogQuery(input: string): LogTerm[] {
  if (input.length > maxLogQueryChars)
    throw new LogQueryError(
      `A search has at most ${maxLogQueryChars} characters.`,
      'length',
      maxLogQueryChars,
    )
  const terms: LogTerm[] = []
  let rest = input.trimStart()
  while (rest !== '') {
    const isNegated = rest.startsWith('-') && rest.length > 1 && !/^-\s/.test(rest)
    if (isNegated) rest = rest.slice(1)
    const [term, length] = readTerm(rest, isNegated)
    terms.push(term)
    if (terms.length > maxTerms)
      throw new LogQueryError(`A search has at most ${maxTerms} terms.`, 'terms', maxTerms)
    rest = rest.slice(length).trimStart()
  }
  return terms
}

function readTerm(rest: string, isNegated: boolean): [LogTerm, number] {
  if (rest.startsWith('"')) {
    const [text, length] = readQuoted(rest)
    return [{ kind: 'text', text, isExact: true, isNegated }, length]
  }
  const regex = /^\/((?:[^/\\]|\\.)+)\/([a-z]*)(?=\s|$)/.exec(rest)
  if (regex) return [regexTerm(regex[1] ?? '', regex[2] ?? '', isNegated), regex[0].length]
  const field = /^([A-Za-z_@][\w.@-]*):(?!\/\/)/.exec(rest)
  if (field) {
    const [value, length] = readValue(rest.slice(field[0].length))
    if (value !== '') return [fieldTerm(field[1] ?? '', value, isNegated), field[0].length + length]
  }
  const word = /^\S+/.exec(rest)?.[0] ?? rest
  return [{ kind: 'text', text: word, isExact: false, isNegated }, word.length]
}

function readQuoted(rest: string): [string, number] {
  const found = /^"((?:[^"\\]|\\.)*)"/.exec(rest)
  if (!found) throw new LogQueryError('A quotation mark is opened and not closed.', 'quote')
  const text = (found[1] ?? '').replace(/\\(["\\])/g, '$1')
  if (text === '') throw new LogQueryError('There is nothing between the quotation marks.', 'quoted')
  return [text, found[0].length]
}

function readValue(rest: string): [string, number] {
  if (rest.startsWith('"')) return readQuoted(rest)
  const word = /^\S*/.exec(rest)?.[0] ?? ''
  return [word, word.length]
}

function regexTerm(source: string, flags: string, isNegated: boolean): LogTerm {
  if (/[^imsu]/.test(flags) || new Set(flags).size < flags.length)
    throw new LogQueryError(
      `A regular expression may end in i, m, s and u, not in “${flags}”.`,
      'flags',
      flags,
    )
  try {
    new RegExp(source, flags)
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^Invalid regular expression: /, '') : ''
    throw new LogQueryError(`This is no regular expression: ${why}.`, 'regex', why)
  }
  return { kind: 'regex', source, flags, isNegated }
}

function fieldTerm(path: string, value: string, isNegated: boolean): LogTerm {
  if (path !== 'level') {
    const isPrefix = value.endsWith('*') && value.length > 1
    return { kind: 'field', path, value: isPrefix ? value.slice(0, -1) : value, isPrefix, isNegated }
  }
  const orWorse = /^>=?/.exec(value)?.[0] ?? ''
  const level = levelNamed(value.slice(orWorse.length))
  if (level === null || orWorse === '>')
    throw new LogQueryError(
      `There is no level “${value}”: ${Object.keys(logLineLevels).join(', ')}, and >= before one for that and worse.`,
      'level',
      value,
    )
  return { kind: 'level', level, orWorse: orWorse !== '', isNegated }
}

export type LineMatcher = (line: { text: string; level?: LogLineLevel | null }) => boolean

/** Whether all terms are true of a line. A line whose level is not given is read for it. */
export function createLineMatcher(terms: readonly LogTerm[]): LineMatcher {
  const tests = terms.map((term) => {
    const test = testOf(term)
    return term.isNegated ? (line: Parameters<LineMatcher>[0]) => !test(line) : test
  })
  return (line) => tests.every((test) => test(line))
}

function testOf(term: LogTerm): LineMatcher {
  switch (term.kind) {
    case 'text': {
      if (term.isExact) return ({ text }) => text.includes(term.text)
      const wanted = term.text.toLowerCase()
      return ({ text }) => text.toLowerCase().includes(wanted)
    }
    case 'regex': {
      const regex = new RegExp(term.source, term.flags)
      return ({ text }) => regex.test(text)
    }
    case 'level':
      return ({ text, level }) => {
        const own = level === undefined ? levelOf(text) : level
        if (own === null) return false
        return term.orWorse ? logLineLevels[own] >= logLineLevels[term.level] : own === term.level
      }
    case 'field':
      return ({ text }) => hasField(text, term)
  }
}

function hasField(text: string, term: { path: string; value: string; isPrefix: boolean }): boolean {
  const wanted = term.value.toLowerCase()
  // Most lines are not it, and reading JSON costs more than looking for the words.
  const lower = text.toLowerCase()
  if (!lower.includes(wanted) && !/["\\]/.test(wanted)) return false
  const found = text.trimStart().startsWith('{') ? jsonField(text, term.path) : pairField(text, term.path)
  if (found === null) return false
  return term.isPrefix ? found.toLowerCase().startsWith(wanted) : found.toLowerCase() === wanted
}

function jsonField(text: string, path: string): string | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  const whole = property(value, path)
  const found =
    whole !== undefined ? whole : path.split('.').reduce<unknown>((at, key) => property(at, key), value)
  if (found === undefined) return null
  return typeof found === 'string' ? found : JSON.stringify(found)
}

function property(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
  return (value as Record<string, unknown>)[key]
}

function pairField(text: string, path: string): string | null {
  const escaped = path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  const found = new RegExp(`(?:^|[\\s,])${escaped}=(?:"((?:[^"\\\\]|\\\\.)*)"|(\\S*))`).exec(text)
  return found === null ? null : (found[1] ?? found[2] ?? '')
}
