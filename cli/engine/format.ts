/** `--format` and `--filter`, as far as Docker's users need them from memory. */
import { InvalidArgumentError } from 'commander'
import { CommandError } from '../say.ts'

/** `{{.Names}}` and `{{.spec.limits.pids}}`, with \\t and \\n; `json` for the whole. Throws for a field that is not there. */
export function formatted(template: string, value: object): string {
  if (template === 'json') return JSON.stringify(value)
  return template
    .replace(/^table\s+/, '')
    .replaceAll('\\t', '\t')
    .replaceAll('\\n', '\n')
    .replace(/\{\{\s*(json\s+)?\.([\w.]*)\s*\}\}/g, (_all, asJson: string | undefined, path: string) => {
      const found = path === '' ? value : fieldOf(value, path)
      return asJson || (typeof found === 'object' && found !== null)
        ? JSON.stringify(found)
        : String(found ?? '')
    })
}

function fieldOf(value: object, path: string): unknown {
  let current: unknown = value
  for (const name of path.split('.')) {
    const here: Record<string, unknown> =
      typeof current === 'object' && current !== null ? { ...current } : {}
    const known = Object.keys(here).find((key) => key.toLowerCase() === name.toLowerCase())
    if (known === undefined)
      throw new CommandError(
        `There is no field ${name} in ${path}: there are ${Object.keys(here).join(', ')}.`,
      )
    current = here[known]
  }
  return current
}

export interface Filter {
  key: string
  value: string
}

/** One of several `--filter KEY=VALUE`. */
export function filter(keys: readonly string[]): (text: string, all?: Filter[]) => Filter[] {
  return (text, all = []) => {
    const at = text.indexOf('=')
    const key = text.slice(0, at)
    if (at < 1 || !keys.includes(key))
      throw new InvalidArgumentError(`It must be KEY=VALUE, with one of ${keys.join(', ')}.`)
    return [...all, { key, value: text.slice(at + 1) }]
  }
}

/** Of one key any value will do, of several keys each must. */
export function passes(filters: Filter[], test: (filter: Filter) => boolean): boolean {
  return [...Map.groupBy(filters, ({ key }) => key).values()].every((same) => same.some(test))
}

/** NAME, or NAME=VALUE. */
export function hasLabel(labels: Record<string, string>, asked: string): boolean {
  const at = asked.indexOf('=')
  return at < 0 ? asked in labels : labels[asked.slice(0, at)] === asked.slice(at + 1)
}
