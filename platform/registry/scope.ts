import { z } from 'zod'
import type { TeamAction } from '../access.ts'
import { slugSchema } from '../model/names.ts'

/** What a token may let its bearer do in one repository, and the right that this needs in the repository's team. */
export const registryRights = {
  pull: 'repository.pull',
  push: 'repository.push',
  delete: 'repository.delete',
} as const satisfies Record<string, TeamAction>

export type RegistryAction = keyof typeof registryRights

const actionSchema = z.enum(Object.keys(registryRights) as [RegistryAction, ...RegistryAction[]])

/** One repository and what is asked of it. */
export interface Scope {
  /** acme/shop/web */
  name: string
  namespace: string
  /** The name below the team: shop/web. */
  repository: string
  actions: RegistryAction[]
}

/** Distribution's grammar of a name's parts (distribution/reference/regexp.go). */
const repositoryPattern =
  /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/

/** `acme/shop/web` → the team's namespace (`Team.imageNamespace`) and the name below it; null for what can be no repository of Berth's. */
export function splitName(name: string): { namespace: string; repository: string } | null {
  const slash = name.indexOf('/')
  const namespace = name.slice(0, Math.max(slash, 0))
  const repository = name.slice(slash + 1)
  if (!slugSchema.safeParse(namespace).success) return null
  return repository.length <= 200 && repositoryPattern.test(repository) ? { namespace, repository } : null
}

/**
 * `repository[(class)]:<name>:<action>,…` (distribution/docs/spec/auth/scope.md); the name may have colons itself.
 * Null for what Berth has no rules for, such as registry:catalog:*: nobody lists the repositories of all teams.
 */
export function parseScope(text: string): Scope | null {
  const match = /^repository(?:\([a-z]+\))?:(.+):([a-z*,]+)$/.exec(text)
  const [name, actions] = [match?.[1], match?.[2]?.split(',')]
  const parts = name === undefined ? null : splitName(name)
  if (name === undefined || actions === undefined || parts === null) return null
  const known = actionSchema.options.filter((action) => actions.includes('*') || actions.includes(action))
  return { name, ...parts, actions: known }
}
