/** The folder that a run works in, and its end: nothing of a run stays, also when the run before was killed. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { processStart, run } from '../cli/processes.ts'

const prefix = 'berth-bench-'
const ownerFile = 'owner'

export interface Workplace {
  folder: string
  defer(undo: () => unknown): void
  /** Undoes everything, the last thing first, and removes the folder. Throws the first failure at the end. */
  close(): Promise<void>
}

/** @param parent where the folder is made; what killed runs left there goes first. */
export async function openWorkplace(parent = tmpdir()): Promise<Workplace> {
  await sweep(parent)
  const folder = mkdtempSync(join(parent, prefix))
  writeFileSync(join(folder, ownerFile), `${process.pid} ${processStart(process.pid)}`)
  const undo: (() => unknown)[] = []
  return {
    folder,
    defer: (step) => void undo.push(step),
    async close() {
      const failures: unknown[] = []
      for (const step of [() => remove(folder), ...undo.splice(0)].reverse())
        await Promise.resolve()
          .then(step)
          .catch((error) => failures.push(error))
      if (failures.length > 0) throw failures[0]
    },
  }
}

/** Processes of a run die with it (see startPart); its mounts and files are what a killed one leaves. */
async function sweep(parent: string): Promise<void> {
  for (const name of readdirSync(parent)) {
    const owner = join(parent, name, ownerFile)
    if (!name.startsWith(prefix) || !existsSync(owner)) continue
    const [pid, start] = readFileSync(owner, 'utf8').split(' ')
    if (processStart(Number(pid)) !== start) await remove(join(parent, name))
  }
}

async function remove(folder: string): Promise<void> {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path.startsWith(`${folder}/`))
  for (const path of mounts.reverse()) await run(['umount', '--lazy', path])
  rmSync(folder, { recursive: true, force: true })
}
