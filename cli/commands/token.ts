import { operatorApi } from '../api.ts'
import { CommandError, say } from '../say.ts'
import { type HomeOptions, homeFolder, mustHaveSettings } from '../settings.ts'

/** `berth token create`: prints the token alone, so that a script can take it. */
export async function createToken(
  options: HomeOptions & { email?: string; team?: string; name: string },
): Promise<void> {
  const { email, team, name } = options
  if (email === undefined && team === undefined)
    throw new CommandError(
      'Say whose token it is: --email ADDRESS for a person, --team SLUG for a team, or both for a person in one team.',
    )
  const home = homeFolder(options)
  const api = operatorApi(home, mustHaveSettings(home))
  const token = await api.post<{ secret: string }>('/operator/tokens', { email, team, name })
  say(token.secret)
}
