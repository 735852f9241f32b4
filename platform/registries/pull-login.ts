import { readImageName } from '../model/image-name.ts'
import { loginFor } from '../model/registry-logins.ts'
import type { Platform } from '../open.ts'
import { unseal } from '../secrets.ts'
import type { Login } from './ask.ts'

export const passwordContext = (id: string) => `registry-login:${id}`

export interface TeamLogin extends Login {
  id: string
  host: string
}

/** The login of the team, and of no other, that an image elsewhere is asked for with; null: it has none for it. */
export async function teamLogin(
  platform: Platform,
  teamId: string,
  image: string,
): Promise<TeamLogin | null> {
  const name = readImageName(image)
  const rows = await platform.db.registryLogin.findMany({
    where: { teamId, host: name.registry.toLowerCase() },
  })
  const row = loginFor(rows, name)
  if (row === null) return null
  const { id, host, username, sealedPassword } = row
  return { id, host, username, password: unseal(platform.keyring, sealedPassword, passwordContext(id)) }
}

/** All of the team, and of no other: for a build, whose base images nobody knows before. */
export async function teamLogins(
  platform: Platform,
  teamId: string,
): Promise<(TeamLogin & { prefix: string })[]> {
  const rows = await platform.db.registryLogin.findMany({ where: { teamId } })
  return rows.map(({ id, host, prefix, username, sealedPassword }) => ({
    ...{ id, host, prefix, username },
    password: unseal(platform.keyring, sealedPassword, passwordContext(id)),
  }))
}

/** Writes down how it went with a login when it was used; nothing where that is known. */
export async function noteLoginResult(platform: Platform, id: string, problem: string | null): Promise<void> {
  const text = problem?.slice(0, 1_000) ?? null
  await platform.db.registryLogin.updateMany({
    where: { id, OR: [{ problem: text === null ? { not: null } : null }, { checkedAt: null }] },
    data: { problem: text, checkedAt: new Date() },
  })
}
