/** Who a container runs as. The image's files are hostile: no link leads out of it, and they are read to a limit. */
import { EngineError } from '../errors.ts'
import { readFileIn } from '../sys/in-root.ts'

const maxFileBytes = 2 ** 20
/** Above it a number would mean another id to some tools (CVE-2024-40635). */
const maxId = 2 ** 31 - 1

export interface ResolvedUser {
  uid: number
  gid: number
  additionalGids: number[]
  home: string
}

/**
 * Resolves `USER` of an image: empty, a name or number, each with `:group`.
 * Throws invalid when a name is not in the image's /etc/passwd or /etc/group, or a number is out of range.
 */
export function resolveUser(root: string, text: string): ResolvedUser {
  const [userPart = '', groupPart] = text.split(':')
  const passwd = rows(readFileIn(root, '/etc/passwd', maxFileBytes))
  const groups = rows(readFileIn(root, '/etc/group', maxFileBytes))
  const user = userPart === '' ? '0' : userPart
  const entry = passwd.find((row) => row[0] === user) ?? passwd.find((row) => row[2] === user)
  const uid = idOf(/^\d+$/.test(user) ? user : entry?.[2], `user ${user}`)
  const group = groupPart || undefined
  const groupEntry = groups.find((row) => row[0] === group)
  const gid =
    group === undefined
      ? idOf(entry?.[3] ?? '0', `group of ${user}`)
      : idOf(/^\d+$/.test(group) ? group : groupEntry?.[2], `group ${group}`)
  const additionalGids =
    group === undefined && entry?.[0]
      ? groups
          .filter((row) => row[3]?.split(',').includes(entry[0] ?? ''))
          .map((row) => idOf(row[2], 'a group'))
      : []
  return {
    uid,
    gid,
    additionalGids: additionalGids.filter((id) => id !== gid).slice(0, 64),
    home: entry?.[5] || '/',
  }
}

function rows(text: string | null): string[][] {
  return (text ?? '')
    .split('\n')
    .slice(0, 10_000)
    .map((line) => line.split(':'))
}

function idOf(text: string | undefined, what: string): number {
  if (text === undefined || !/^\d{1,10}$/.test(text))
    throw new EngineError(
      'invalid',
      `the image names ${what}, which its /etc/passwd or /etc/group does not have`,
    )
  const id = Number(text)
  if (id > maxId) throw new EngineError('invalid', `the image names ${what}: the number is above ${maxId}`)
  return id
}
