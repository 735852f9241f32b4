/** `--filter`, as Docker's users know it. */
import { InvalidArgumentError } from 'commander'

export interface Filter {
  key: string
  value: string
}

/** One of several `--filter KEY=VALUE`. */
export function filter(keys: readonly string[]): (text: string, all?: Filter[]) => Filter[] {
  return (text, all = []) => {
    const [, key = '', value = ''] = /^([^=]+)=(.*)$/s.exec(text) ?? []
    if (!keys.includes(key))
      throw new InvalidArgumentError(`It must be KEY=VALUE, with one of ${keys.join(', ')}.`)
    return [...all, { key, value }]
  }
}

/** Of one key any value will do, of several keys each must. */
export function passes(filters: Filter[], test: (filter: Filter) => boolean): boolean {
  return [...Map.groupBy(filters, ({ key }) => key).values()].every((same) => same.some(test))
}

/** NAME, or NAME=VALUE. */
export function hasLabel(labels: Record<string, string>, asked: string): boolean {
  const at = asked.indexOf('=')
  const name = at < 0 ? asked : asked.slice(0, at)
  return Object.hasOwn(labels, name) && (at < 0 || labels[name] === asked.slice(at + 1))
}
