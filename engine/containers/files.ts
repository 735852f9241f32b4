/** What is in a container: its changes and its files. */
import { closeSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { EngineError } from '../errors.ts'
import { rootOfFolder, rootOfProcess } from '../files/copy-paths.ts'
import { createFileTree, type LendRoot } from '../files/create-file-tree.ts'
import { packPath } from '../files/pack-path.ts'
import { packed } from '../files/packed.ts'
import { unpackInto } from '../files/unpack-into.ts'
import { freezeCgroup } from '../sys/cgroup-control.ts'
import { spaceLeft } from '../sys/disk.ts'
import { mountPointsOf } from '../sys/processes.ts'
import { changesOf } from './changes.ts'
import type { ContainerRow } from './container-rows.ts'
import type { ContainerFiles } from './containers.ts'
import type { Core } from './core.ts'
import type { RunConfig } from './exec-config.ts'
import { hasProcess, mustBe } from './status.ts'

export function createFiles(core: Core): ContainerFiles {
  const { rowOf, lock, runs, snapshots } = core

  /** Nobody in the container writes while the work goes on. */
  function whileStill<T>(idOrName: string, work: (row: ContainerRow) => Promise<T>): Promise<T> {
    const { id } = rowOf(idOrName)
    return lock(id, async () => {
      const row = rowOf(id)
      if (row.status !== 'running') return work(row)
      await freezeCgroup(runs.cgroup(id), true)
      try {
        return await work(row)
      } finally {
        await freezeCgroup(runs.cgroup(id), false)
      }
    })
  }

  /** Null: it has no process. */
  function open(row: ContainerRow): number | null {
    if (!hasProcess(row.status) || row.pid === null) return null
    const root = rootOfProcess(row.pid)
    if (core.isAlive(row)) return root
    closeSync(root)
    throw new EngineError('failed-precondition', `container ${row.id} has just ended: try again`)
  }

  /** For as long as it runs. */
  async function lendRunning<T>(id: string, work: Parameters<LendRoot>[0]): Promise<T> {
    const row = rowOf(id)
    mustBe(hasProcess, row, 'look into the files of', 'start it first')
    const { idRange } = row.spec
    const { process } = JSON.parse(await runs.configText(id)) as RunConfig
    const root = open(row)
    if (root === null) throw new EngineError('failed-precondition', `container ${id} has just ended`)
    const [ended, over] = [new AbortController(), new AbortController()]
    core.untilEnded(id, over.signal).then(
      () => ended.abort(),
      () => {},
    )
    try {
      return (await work({
        ...{ root, idRange, ended: ended.signal },
        mounts: () => mountPointsOf(row.pid ?? 0),
        owner: [idRange.base + process.user.uid, idRange.base + process.user.gid],
        hasSpace: (bytes) => spaceLeft(core.stateDir) > bytes,
      })) as T
    } finally {
      over.abort()
      closeSync(root)
    }
  }

  /** Of one that runs with all its mounts, of another without them. */
  async function withRoot<T>(
    idOrName: string,
    work: (root: number, row: ContainerRow) => Promise<T>,
  ): Promise<T> {
    const { id } = rowOf(idOrName)
    const lend = async (row: ContainerRow, root: number) => {
      try {
        return await work(root, row)
      } finally {
        closeSync(root)
      }
    }
    const row = rowOf(id)
    const root = open(row)
    if (root !== null) return lend(row, root)
    return lock(id, async () => {
      const now = rowOf(id)
      const since = open(now)
      if (since !== null) return lend(now, since)
      return runs.withRootfs(now.spec, (path) => lend(now, rootOfFolder(path)))
    })
  }

  return {
    files(idOrName) {
      const { id } = rowOf(idOrName)
      return createFileTree((work) => lendRunning(id, work))
    },
    diff: (idOrName) =>
      whileStill(idOrName, ({ id }) => snapshots.lookAt(id, ({ upper, layers }) => changesOf(upper, layers))),
    copyOut(idOrName, path, { signal } = {}) {
      rowOf(idOrName)
      checkPath(path)
      return packed(
        (pack) => withRoot(idOrName, (root, { spec }) => packPath(root, path, spec.idRange, pack)),
        signal,
      )
    },
    async copyIn(idOrName, folder, archive: Readable, { signal } = {}) {
      checkPath(folder)
      const giveUp = () => archive.destroy(new EngineError('canceled', 'the copy was given up'))
      signal?.addEventListener('abort', giveUp, { once: true })
      const hasSpace = (bytes: number) => spaceLeft(core.stateDir) > bytes
      try {
        await withRoot(idOrName, (root, { spec }) =>
          unpackInto(root, folder, archive, { idRange: spec.idRange, hasSpace }),
        )
      } finally {
        signal?.removeEventListener('abort', giveUp)
      }
    },
  }
}

function checkPath(path: string): void {
  if (!path.startsWith('/') || path.includes('\0'))
    throw new EngineError('invalid', `${JSON.stringify(path)} is no absolute path`)
}
