/** Where a build's base images come from: the team's logins, and what the operator listed. */
import type { BuildSpec } from '../../engine/index.ts'
import type { Platform } from '../../platform/open.ts'
import { readListedRegistries } from '../../platform/registries/listed.ts'
import { teamLogins } from '../../platform/registries/pull-login.ts'

export async function registriesOf(
  platform: Platform,
  teamId: string,
): Promise<Pick<BuildSpec, 'registries' | 'logins'>> {
  const listed = Object.entries(readListedRegistries(platform.config))
  return {
    logins: await teamLogins(platform, teamId),
    registries: listed.map(([host, { url, ca, mirrors }]) => ({
      ...{ host, url, ca },
      mirrors: mirrors?.map(({ username, password = '', ...mirror }) => ({
        ...{ url: mirror.url, ca: mirror.ca },
        credentials: username === undefined ? undefined : { username, password },
      })),
    })),
  }
}
