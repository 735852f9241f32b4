import { type Role, roleIncludes } from '@/platform/model/roles.ts'

const names = [
  'overview',
  'deployments',
  'timeline',
  'metrics',
  'alerts',
  'logs',
  'terminal',
  'files',
  'jobs',
  'git',
  'variables',
  'volumes',
  'domains',
  'settings',
] as const

export type AppTabName = (typeof names)[number]

const forDevelopers = new Set<AppTabName>(['variables', 'terminal', 'files'])

/** The pages of an app at this address, for somebody with this role in its project. */
export function appTabs(path: string, role: Role): { name: AppTabName; href: string }[] {
  const isDeveloper = roleIncludes(role, 'developer')
  return names
    .filter((name) => isDeveloper || !forDevelopers.has(name))
    .map((name) => ({ name, href: name === 'overview' ? path : `${path}/${name}` }))
}
