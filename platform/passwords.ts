import { hash, verify } from '@node-rs/argon2'

// OWASP's present advice for argon2id: 19 MiB, 2 passes, 1 lane. (2 is argon2id; the package's constant enum can't be
// imported where types are only stripped.)
const options = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** argon2id in PHC string form. */
export function hashPassword(password: string): Promise<string> {
  return hash(password.normalize('NFKC'), options)
}

let decoy: Promise<string> | undefined

/** With no hash (no such user) it takes as long as with one, and answers false. */
export async function checkPassword(stored: string | null, password: string): Promise<boolean> {
  decoy ??= hashPassword('no user has this password')
  const right = await verify(stored ?? (await decoy), password.normalize('NFKC'))
  return right && stored !== null
}
