/** `--filter`, as Docker's users know it. */
import { InvalidArgumentError } from 'commander'
import { type Door, orWithout } from './door.ts'

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

/** Those of one key that name an image, as its digest; what no image here is called stays as it is. */
export async function withDigests(door: Door, filters: Filter[], key: string): Promise<Filter[]> {
  return Promise.all(
    filters.map(async (each) => {
      if (each.key !== key) return each
      const image = door.ask<{ digest: string }>('GET', '/images/inspect', { query: { name: each.value } })
      const { digest } = await orWithout(image, async () => ({ digest: each.value }))
      return { key, value: digest }
    }),
  )
}
