/**
 * Values may refer to other variables: `${{NAME}}` to one of the same app or, where it has none of that name, to a
 * shared one of the environment; `${{app.NAME}}` to one of another app there. `$${{` stands for `${{` itself.
 * What looks otherwise is no reference and stays as it is. Pure.
 */
import { maxValueLength } from './names.ts'

export interface Reference {
  /** Slug of another app; null: of the app itself, or shared. */
  app: string | null
  name: string
}

export interface Referable {
  value: string
  isSecret: boolean
}

type Named<Value> = ReadonlyMap<string, Value>

/** All that can be referred to in an environment. */
export interface ReferenceScope<Value extends Referable = Referable> {
  shared: Named<Value>
  /** By the app's slug. What Berth itself knows of an app is among them, such as BERTH_PRIVATE_HOST. */
  apps: ReadonlyMap<string, Named<Value>>
}

export interface Resolved {
  value: string
  /** It is one, or is made of one. */
  isSecret: boolean
}

/** Says of a value why it can't be made; the sentence goes on where `value` or the variable's name stands. */
export class BadReference extends Error {}

const pattern = /\$?\$\{\{\s*(?:([a-z0-9](?:[a-z0-9-]*[a-z0-9])?)\.)?([A-Za-z_][A-Za-z0-9_]*)\s*\}\}/g

/** Those in a value, in their order. */
export function referencesIn(value: string): Reference[] {
  return [...value.matchAll(pattern)]
    .filter(([whole]) => !whole.startsWith('$$'))
    .map(([, app, name = '']) => ({ app: app ?? null, name }))
}

/**
 * Answers with a variable's value in full. Values are made once, however many refer to them.
 *
 * @param owner slug of the app; null for what is shared.
 * @throws BadReference for a circle, for what is not there, and when a value would be too long.
 */
export function createResolver(scope: ReferenceScope): (owner: string | null, name: string) => Resolved {
  const done = new Map<string, Resolved>()

  function resolve(owner: string | null, name: string, trail: string[]): Resolved {
    const key = keyOf(owner, name)
    const found = done.get(key)
    if (found !== undefined) return found
    if (trail.includes(key))
      throw new BadReference(`refers to itself: ${[...trail.slice(trail.indexOf(key)), key].join(' → ')}`)
    const variable = owner === null ? scope.shared.get(name) : scope.apps.get(owner)?.get(name)
    if (variable === undefined) throw new BadReference(`refers to ${key}, which does not exist`)
    let { isSecret } = variable
    const value = variable.value.replaceAll(pattern, (whole, app: string | undefined, other: string) => {
      if (whole.startsWith('$$')) return whole.slice(1)
      const target = resolve(placeOf(scope, owner, name, { app: app ?? null, name: other }), other, [
        ...trail,
        key,
      ])
      isSecret ||= target.isSecret
      return target.value
    })
    if (value.length > maxValueLength)
      throw new BadReference(
        `becomes longer than ${maxValueLength.toLocaleString('en')} characters with what it refers to`,
      )
    const resolved = { value, isSecret }
    done.set(key, resolved)
    return resolved
  }

  return (owner, name) => resolve(owner, name, [])
}

/** Where the variable is that a reference means: an app's slug, or null for what is shared. */
export function placeOf(
  scope: ReferenceScope,
  owner: string | null,
  from: string,
  { app, name }: Reference,
): string | null {
  if (app !== null) return app
  // `PATH_PREFIX=${{PATH_PREFIX}}/web` adds to the shared one.
  const isItself = name === from
  return owner !== null && !isItself && scope.apps.get(owner)?.has(name) ? owner : null
}

export function keyOf(owner: string | null, name: string): string {
  return owner === null ? name : `${owner}.${name}`
}
