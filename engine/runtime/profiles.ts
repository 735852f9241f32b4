/**
 * Compiled seccomp profiles. crun compiles a profile at each start, which takes longer than all the rest: what it made
 * once is kept, by the profile's hash, until the host restarts.
 */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { writeFileAtomically } from '../sys/files.ts'
import type { SeccompProfile } from './seccomp.ts'

export interface Profiles {
  /** Base64; null if it was never compiled. */
  find(profile: SeccompProfile): Promise<string | null>
  keep(profile: SeccompProfile, compiledFile: string): Promise<void>
}

/** @param prefix path that files of this runtime's version begin with. */
export function createProfiles(prefix: string): Profiles {
  const known = new Map<string, string>()
  const fileOf = (profile: SeccompProfile) =>
    `${prefix}-${createHash('sha256').update(JSON.stringify(profile)).digest('hex').slice(0, 16)}.base64`

  return {
    async find(profile) {
      const file = fileOf(profile)
      const text = known.get(file) ?? (await readFile(file, 'utf8').catch(() => null))
      if (text !== null) known.set(file, text)
      return text
    },
    async keep(profile, compiledFile) {
      const bytes = await readFile(compiledFile).catch(() => null)
      if (!bytes || bytes.length === 0) return
      const file = fileOf(profile)
      known.set(file, bytes.toString('base64'))
      await writeFileAtomically(file, bytes.toString('base64'))
    },
  }
}
