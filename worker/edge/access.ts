/** Who is let in to an app: lines of its backend, so that what is not the app's is not touched. */
import type { EdgeAccess } from '../../platform/model/edge-access.ts'

const userPattern = /^[A-Za-z0-9._@-]{1,64}$/
const hashPattern = /^\$6\$rounds=\d{1,9}\$[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{86}$/
const networkPattern = /^[0-9a-fA-F:.]{2,45}(\/\d{1,3})?$/

const listOf = (backend: string) => `access-${backend}`

/** Sections that stand beside the backends. Throws on what can't be a name or a hash. */
export function userLists(accesses: ReadonlyMap<string, EdgeAccess>): string[] {
  return [...accesses]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([backend, { users }]) =>
      users.length === 0
        ? []
        : [
            `userlist ${listOf(backend)}`,
            ...users.map(
              ({ name, hash }) => `    user ${must(name, userPattern)} password ${must(hash, hashPattern)}`,
            ),
            '',
          ],
    )
}

/**
 * First where somebody comes from, which is cheap; then who it is. The app never sees the password that was for the edge.
 */
export function letIn(backend: string, access: EdgeAccess | undefined): string[] {
  const { users, addresses } = access ?? { users: [], addresses: [] }
  const networks = addresses.map((address) => must(address, networkPattern)).join(' ')
  return [
    ...(networks === '' ? [] : [`    http-request deny deny_status 403 unless { src ${networks} }`]),
    ...(users.length === 0
      ? []
      : [
          `    http-request auth realm Restricted unless { http_auth(${listOf(backend)}) }`,
          '    http-request del-header Authorization',
        ]),
  ]
}

function must(text: string, pattern: RegExp): string {
  if (pattern.test(text)) return text
  throw new Error(`The edge can't take ${JSON.stringify(text)} to let somebody in by.`)
}
