import { operatorApi } from '../api.ts'
import { CommandError, say } from '../say.ts'
import { type HomeOptions, homeFolder, mustHaveSettings } from '../settings.ts'

interface TokenOptions extends HomeOptions {
  name: string
  email?: string
  team?: string
  role?: string
  preset?: string
  action?: string[]
  project?: string[]
  app?: string[]
  repository?: string[]
  /** Days. */
  expires?: number
  from?: string[]
}

/** `berth token create`: prints the token alone, so that a script can take it. */
export async function createToken(options: TokenOptions): Promise<void> {
  const { email, team } = options
  if (email === undefined && team === undefined)
    throw new CommandError(
      'Say whose token it is: --email ADDRESS for a person, --team SLUG for a team, or both for a person in one team.',
    )
  const home = homeFolder(options)
  const api = operatorApi(home, mustHaveSettings(home))
  const token = await api.post<{ secret: string }>('/operator/tokens', tokenRequest(options))
  say(token.secret)
}

/** What the API is asked for. */
export function tokenRequest(options: TokenOptions, now = Date.now()): Record<string, unknown> {
  const { name, email, team, role, preset, expires } = options
  return {
    ...{ name, email, team, role, preset },
    actions: options.action,
    projects: options.project,
    apps: options.app,
    repositories: options.repository,
    addresses: options.from,
    expiresAt: expires === undefined ? undefined : new Date(now + expires * 86_400_000).toISOString(),
  }
}
