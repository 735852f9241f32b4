/** Who a container runs as. The image's files are hostile: nothing of them is followed, and they are read to a limit. */
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { EngineError } from '../errors.ts'

const maxFileBytes = 2 ** 20
/** Above it a number would mean another id to some tools (CVE-2024-40635). */
const maxId = 2 ** 31 - 1

export interface ResolvedUser {
  uid: number
  gid: number
  additionalGids: number[]
  home: string
}

/** A regular file of a root file system that nobody writes to now; null if it is not there, a link, or a device. */
export function readInRoot(root: string, path: string): string | null {
  let current = root
  const parts = path.split('/').filter(Boolean)
  for (const part of parts.slice(0, -1)) {
    current = join(current, part)
    if (!lstatSync(current, { throwIfNoEntry: false })?.isDirectory()) return null
  }
  const file = join(current, parts.at(-1) ?? '')
  if (!lstatSync(file, { throwIfNoEntry: false })?.isFile()) return null
  const fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const { size } = fstatSync(fd)
    if (size > maxFileBytes) return null
    const bytes = Buffer.alloc(size)
    return bytes.subarray(0, readSync(fd, bytes, 0, size, 0)).toString('utf8')
  } finally {
    closeSync(fd)
  }
}

/**
 * Resolves `USER` of an image: empty, a name or number, each with `:group`.
 * Throws invalid when a name is not in the image's /etc/passwd or /etc/group, or a number is out of range.
 */
export function resolveUser(root: string, text: string): ResolvedUser {
  const [userPart = '', groupPart] = text.split(':')
  const passwd = rows(readInRoot(root, '/etc/passwd'))
  const groups = rows(readInRoot(root, '/etc/group'))
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
