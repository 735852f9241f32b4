/** What templates find and print. */
import { CommandError } from '../say.ts'

/** Something of ours whose fields are also found under the names that Docker gives them. As JSON it is ours. */
export class Familiar {
  readonly own: object
  readonly known: object

  constructor(own: object, known: object) {
    this.own = own
    this.known = known
  }

  toJSON(): object {
    return this.own
  }
}

/** A field by its name as written, or in other letter case. Throws CommandError when there is none. */
export function fieldOf(value: unknown, name: string, path: string[]): unknown {
  const sources = value instanceof Familiar ? [value.own, value.known] : [value]
  const objects = sources.filter((each): each is object => typeof each === 'object' && each !== null)
  for (const isSame of [(key: string) => key === name, sameLetters(name)])
    for (const object of objects) {
      const found = Object.entries(object).find(([key]) => isSame(key))
      if (found !== undefined) return found[1]
    }
  const where = path.length === 0 ? '' : ` in .${path.join('.')}`
  const names = [...new Set(objects.flatMap((object) => Object.keys(object)))]
  const instead = names.length === 0 ? ', which is empty or no object' : `: there are ${names.join(', ')}`
  throw new CommandError(`There is no field ${name}${where}${instead}.`)
}

function sameLetters(name: string): (key: string) => boolean {
  const wanted = name.toLowerCase()
  return (key) => key.toLowerCase() === wanted
}

/** As Go prints it: `[a b]`, `map[a:1 b:2]`; nothing for what is not there. */
export function printed(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (Array.isArray(value)) return `[${value.map(printed).join(' ')}]`
  if (typeof value !== 'object') return String(value)
  const own = value instanceof Familiar ? value.own : value
  const fields = Object.entries(own).sort(([a], [b]) => (a < b ? -1 : 1))
  return `map[${fields.map(([name, each]) => `${name}:${printed(each)}`).join(' ')}]`
}

/** Whether `if` takes it for true: what is empty is not. */
export function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0
  return Boolean(value)
}
