/**
 * The part of Go's templates that people type behind `--format`: fields, pipes, a few functions, `range`, `if` and
 * `with`. What is beyond it is refused by a sentence. Source: the manual pages of Go's text/template.
 */
import { CommandError } from '../say.ts'
import { Familiar, fieldOf, isTrue, printed } from './template-values.ts'

export type Template = (value: unknown) => string

interface Scope {
  dot: unknown
  variables: Record<string, unknown>
}
type Node = (scope: Scope) => string
type Expression = (scope: Scope) => unknown

const functions: Record<string, (...values: never[]) => unknown> = {
  json: (value: unknown) => JSON.stringify(value ?? null),
  len: (value: unknown) => size(value),
  index: (value: unknown, ...keys: (string | number)[]) => keys.reduce(at, value),
  join: (list: unknown, separator: string) => items(list).map(printed).join(separator),
  split: (text: string, separator: string) => text.split(separator),
  upper: (text: string) => text.toUpperCase(),
  lower: (text: string) => text.toLowerCase(),
  println: (...values: unknown[]) => `${values.map(printed).join(' ')}\n`,
  eq: (first: unknown, ...others: unknown[]) => others.some((other) => printed(first) === printed(other)),
  ne: (first: unknown, other: unknown) => printed(first) !== printed(other),
  not: (value: unknown) => !isTrue(value),
  // What is found may be nothing, which is the answer then.
  and: (...values: unknown[]) => [...values.filter((value) => !isTrue(value)), values.at(-1)][0],
  or: (...values: unknown[]) => values.find(isTrue) ?? values.at(-1),
}

/** Throws CommandError for what is no template, and when it is used for a field that is not there. */
export function template(text: string): Template {
  const parts = text
    .replaceAll('\\t', '\t')
    .replaceAll('\\n', '\n')
    .split(/(\{\{[\s\S]*?\}\})/)
  // A `-` inside the braces takes the space beside them away.
  const trimmed = parts.map((part, i) => {
    if (part.startsWith('{{')) return part
    const left = /\s-\}\}$/.test(parts[i - 1] ?? '') ? part.trimStart() : part
    return /^\{\{-\s/.test(parts[i + 1] ?? '') ? left.trimEnd() : left
  })
  const reader = { parts: trimmed.filter((part) => part !== ''), at: 0 }
  const { body, end } = block(reader)
  if (end !== null) throw refusal(`{{${end}}} ends nothing`)
  return (value) => body({ dot: value, variables: { $: value } })
}

interface Reader {
  parts: string[]
  at: number
}

/** Nodes up to the end of the text, or the `end` or `else` that closes them. */
function block(reader: Reader): { body: Node; end: string | null } {
  const nodes: Node[] = []
  const body: Node = (scope) => nodes.map((node) => node(scope)).join('')
  while (reader.at < reader.parts.length) {
    const part = reader.parts[reader.at++] ?? ''
    if (!part.endsWith('}}') || !part.startsWith('{{')) {
      if (part.includes('{{')) throw refusal('there is a {{ without }}')
      nodes.push(() => part)
      continue
    }
    const action = part
      .slice(2, -2)
      .replace(/^-\s|\s-$/g, '')
      .trim()
    if (action === 'end' || /^else(\s|$)/.test(action)) return { body, end: action }
    if (action.startsWith('/*')) continue
    const [, word, rest = ''] = /^(range|if|with)\s+(.+)$/s.exec(action) ?? []
    if (word === undefined) {
      const value = expression(action)
      nodes.push((scope) => printed(value(scope)))
    } else nodes.push(branch(word, rest, reader))
  }
  return { body, end: null }
}

function branch(word: string, head: string, reader: Reader): Node {
  const [, key, item, rest = head] = /^(?:(\$\w+)\s*,\s*)?(\$\w+)\s*:=\s*(.+)$/s.exec(head) ?? []
  const value = expression(rest)
  const { body, end } = block(reader)
  const otherwise = end === 'end' ? () => '' : alternative(end, reader, word)
  if (word !== 'range')
    return (scope) => {
      const found = value(scope)
      if (!isTrue(found)) return otherwise(scope)
      const variables = item === undefined ? scope.variables : { ...scope.variables, [item]: found }
      return body({ dot: word === 'with' ? found : scope.dot, variables })
    }
  return (scope) => {
    const found = entries(value(scope))
    if (found.length === 0) return otherwise(scope)
    const each = ([name, dot]: [string | number, unknown]) => ({
      dot,
      variables: {
        ...scope.variables,
        ...(key === undefined ? {} : { [key]: name }),
        ...(item === undefined ? {} : { [item]: dot }),
      },
    })
    return found.map((entry) => body(each(entry))).join('')
  }
}

function alternative(end: string | null, reader: Reader, word: string): Node {
  if (end === null) throw refusal(`{{${word} …}} has no {{end}}`)
  const [, condition] = /^else\s+if\s+(.+)$/s.exec(end) ?? []
  if (condition !== undefined) return branch('if', condition, reader)
  if (end !== 'else') throw refusal(`{{${end}}} is more than it can do`)
  const { body, end: last } = block(reader)
  if (last !== 'end') throw refusal(`{{${word} …}} has no {{end}}`)
  return body
}

const token = /\s*("(?:[^"\\]|\\.)*"|`[^`]*`|[()|]|\$?[\w.-]*[\w.]|\$)/y

/** `json .Config`, `index .Labels "a" | upper`, `(len .Layers)`. */
function expression(text: string): Expression {
  const tokens: string[] = []
  token.lastIndex = 0
  while (token.lastIndex < text.trimEnd().length) {
    const found = token.exec(text)?.[1]
    if (found === undefined) throw refusal(`${text} is more than it can do`)
    tokens.push(found)
  }
  const read = { parts: tokens, at: 0 }
  const value = pipeline(read, text)
  if (read.at < tokens.length) throw refusal(`${text} has a ) too many`)
  return value
}

function pipeline(read: Reader, text: string): Expression {
  let value: Expression | null = null
  for (;;) {
    const words: (string | Expression)[] = []
    for (; read.at < read.parts.length; read.at++) {
      const word = read.parts[read.at] ?? ''
      if (word === '|' || word === ')') break
      if (word !== '(') {
        words.push(word)
        continue
      }
      read.at++
      words.push(pipeline(read, text))
      if (read.parts[read.at] !== ')') throw refusal(`${text} has no ) at its end`)
    }
    value = call(words, value, text)
    if (read.parts[read.at] !== '|') return value
    read.at++
  }
}

function call(words: (string | Expression)[], piped: Expression | null, text: string): Expression {
  const [first, ...others] = words
  if (first === undefined) throw refusal(`{{${text}}} says nothing`)
  if (typeof first === 'string' && /^[a-z]+$/i.test(first) && !literals.has(first)) {
    const run = Object.hasOwn(functions, first) ? functions[first] : undefined
    if (run === undefined) throw refusal(`${first} is not among them`)
    const values = [...others.map((word) => operand(word, text)), ...(piped === null ? [] : [piped])]
    return (scope) => {
      const given = values.map((value) => value(scope)) as never[]
      try {
        return run(...given)
      } catch (error) {
        if (error instanceof CommandError) throw error
        throw new CommandError(`${first} can't be done with ${given.map(printed).join(' and ')}.`)
      }
    }
  }
  if (others.length > 0 || piped !== null) throw refusal(`${text} is more than it can do`)
  return operand(first, text)
}

const literals = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['nil', null],
])

function operand(word: string | Expression, text: string): Expression {
  if (typeof word !== 'string') return word
  if (literals.has(word)) return () => literals.get(word)
  if (/^-?\d+$/.test(word)) return () => Number(word)
  if (word.startsWith('`')) return () => word.slice(1, -1)
  if (word.startsWith('"')) {
    const content = string(word)
    return () => content
  }
  const [, variable = '', path = ''] = /^(\$\w*)?((?:\.\w+)*|\.)$/.exec(word) ?? []
  if (variable === '' && path === '') throw refusal(`${text} is more than it can do`)
  const names = path.split('.').filter((name) => name !== '')
  return ({ dot, variables }) => {
    if (variable !== '' && !Object.hasOwn(variables, variable))
      throw refusal(`there is no variable ${variable}`)
    return names.reduce(
      (value, name, i) => fieldOf(value, name, names.slice(0, i)),
      variable === '' ? dot : variables[variable],
    )
  }
}

function string(literal: string): string {
  try {
    return String(JSON.parse(literal))
  } catch {
    throw refusal(`${literal} is no string`)
  }
}

function refusal(why: string): CommandError {
  return new CommandError(
    `--format knows fields, ${Object.keys(functions).join(', ')}, range, if and with; ${why}. --json gives everything.`,
  )
}

function entries(value: unknown): [string | number, unknown][] {
  if (value === null || value === undefined) return []
  if (Array.isArray(value)) return value.map((each, i) => [i, each])
  if (typeof value !== 'object') throw new CommandError(`range can't go through ${printed(value)}.`)
  return Object.entries(value instanceof Familiar ? value.own : value).sort(([a], [b]) => (a < b ? -1 : 1))
}

function items(value: unknown): unknown[] {
  return entries(value).map(([, each]) => each)
}

function size(value: unknown): number {
  return typeof value === 'string' ? value.length : entries(value).length
}

/** What has no such key is empty, as in Go's maps; a list that is shorter is an error. */
function at(value: unknown, key: string | number): unknown {
  if (Array.isArray(value)) {
    if (typeof key === 'number' && key < value.length) return value[key]
    throw new CommandError(`There is no number ${key} in a list of ${value.length}.`)
  }
  return new Map<string | number, unknown>(entries(value)).get(key) ?? ''
}
