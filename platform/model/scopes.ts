/** What a token may do, and with what. Within it the role decides, and the rights of whoever made it. */
export interface TokenScope {
  /** Names of the policy table: `deployment.create`, `deployment.*`, `*`. */
  actions: readonly string[]
  /** Where one of these has something, the token reaches what they list alone; otherwise all that its team has. */
  projectIds: readonly string[]
  appIds: readonly string[]
  /** By the names that they have in the team. */
  repositories: readonly string[]
}

export const everything: TokenScope = { actions: ['*'], projectIds: [], appIds: [], repositories: [] }

/** Fit for most. `deploy` is for CI: it pushes images and deploys them, and reads no variable and changes no app. */
export const tokenPresets = {
  all: ['*'],
  read: ['*.read', 'app.read-logs', 'repository.pull'],
  deploy: [
    ...['team.read', 'project.read', 'app.read', 'app.read-logs', 'deployment.*'],
    ...['repository.pull', 'repository.push'],
  ],
} as const satisfies Record<string, readonly string[]>

export type TokenPreset = keyof typeof tokenPresets

export const presetNames = Object.keys(tokenPresets) as [TokenPreset, ...TokenPreset[]]

/** Null: the actions were chosen one by one. */
export function presetOf(actions: readonly string[]): TokenPreset | null {
  const key = (list: readonly string[]) => [...list].sort().join(' ')
  return presetNames.find((name) => key(tokenPresets[name]) === key(actions)) ?? null
}

/** `deployment.*` covers all that begins so, `*.read` all that ends so. */
export function covers(pattern: string, action: string): boolean {
  if (pattern === '*' || pattern === action) return true
  if (pattern.endsWith('.*')) return action.startsWith(pattern.slice(0, -1))
  return pattern.startsWith('*.') && action.endsWith(pattern.slice(1))
}

export function allowsAction(scope: TokenScope, action: string): boolean {
  return scope.actions.some((pattern) => covers(pattern, action))
}

/** Whether it is for some things of its team and not for the team itself. */
export function isNarrowed({ projectIds, appIds, repositories }: TokenScope): boolean {
  return projectIds.length + appIds.length + repositories.length > 0
}

export function reachesProject(scope: TokenScope, projectId: string): boolean {
  return !isNarrowed(scope) || scope.projectIds.includes(projectId)
}

export function reachesApp(scope: TokenScope, app: { appId: string; projectId: string }): boolean {
  return reachesProject(scope, app.projectId) || scope.appIds.includes(app.appId)
}

export function reachesRepository(scope: TokenScope, name: string): boolean {
  return !isNarrowed(scope) || scope.repositories.includes(name)
}
