/**
 * A mount namespace in which there is little. Whoever makes a container copies all mounts that it sees and takes the copy
 * apart again; so what makes containers is started where it sees what it needs, however much else the host has. Nothing
 * that is mounted on the host later comes there by itself: it is lent. See docs/decisions/0011. Source:
 * mount_namespaces(7).
 */
import { closeSync, existsSync, openSync } from 'node:fs'
import { mountPointsOf } from './processes.ts'
import {
  attachMount,
  cloneMount,
  copyMounts,
  enterMounts,
  mount,
  mountFlags,
  replaceRoot,
  unmount,
} from './syscalls.ts'

/** What is seen, beside programs with their libraries, /proc, and all of /dev and /sys. */
export interface MountView {
  /** The file systems that these are on, without what is mounted below them. */
  folders: string[]
  /** Mount points that are not there, whatever else is. */
  hidden: string[]
}

/** What is at `source` on the host, without what is mounted below it, is at `target` there, which is a folder on both. */
export interface MountLoan {
  source: string
  target: string
}

export interface ViewNamespace {
  /**
   * Lends, and calls `start` with this thread in there: the processes that it starts stay there. When it throws,
   * nothing is lent.
   */
  within<T>(loans: MountLoan[], start: () => T): T
  /** Ends loans. Who has copied them to a namespace of its own keeps them. */
  takeBack(loans: MountLoan[]): void
}

/**
 * Makes one. It ends with the last process in it, and when we do. Only for the main thread of a process that uses files
 * by no other: the others stay where they are.
 */
export function makeViewNamespace(seen: MountView): ViewNamespace {
  const points = mountPointsOf(process.pid).map(String)
  const host = openSync('/proc/thread-self/ns/mnt', 'r')
  let view: number
  copyMounts()
  try {
    keepOnly(pointsToKeep(points, seen))
    view = openSync('/proc/thread-self/ns/mnt', 'r')
  } finally {
    enterMounts(host)
  }

  function enter<T>(work: () => T): T {
    enterMounts(view)
    try {
      return work()
    } finally {
      enterMounts(host)
    }
  }

  const takeBack = (loans: MountLoan[]) => {
    for (const { target } of loans.toReversed()) unmount(target, { detach: true })
  }

  return {
    within: (loans, start) =>
      cloned(
        loans,
        ({ source }) => source,
        (trees) =>
          enter(() => {
            try {
              for (const [{ target }, tree] of trees) attachPrivate(tree, target)
              return start()
            } catch (error) {
              takeBack(loans)
              throw error
            }
          }),
      ),
    takeBack: (loans) => enter(() => takeBack(loans)),
  }
}

/** Calls `work` with a mount of each source that is in no namespace yet. */
function cloned<T, R>(all: T[], sourceOf: (each: T) => string, work: (trees: [T, number][]) => R): R {
  const trees: [T, number][] = []
  try {
    for (const each of all) trees.push([each, cloneMount(sourceOf(each))])
    return work(trees)
  } finally {
    for (const [, tree] of trees) closeSync(tree)
  }
}

/** What comes and goes below it on the host does so there alone. */
function attachPrivate(tree: number, target: string): void {
  attachMount(tree, target)
  mount('', target, '', mountFlags.private, '')
}

/** Where the new root is put together: a folder that every host has. */
const stage = '/proc'

/** Leaves this thread's mounts with these points alone, which come with those that they are on before them. */
function keepOnly(points: string[]): void {
  // Otherwise the host would lose the others as well.
  mount('', '/', '', mountFlags.rec | mountFlags.private, '')
  // Over some there is another mount. What is put on the stage hides what was there.
  cloned(points.filter(existsSync), String, (trees) => {
    for (const [point, tree] of trees) attachMount(tree, point === '/' ? stage : `${stage}${point}`)
  })
  replaceRoot(stage)
}

const systemFolders = ['/dev', '/sys']
const singleFolders = [
  // What systemd mounts below it by need could not come here.
  '/proc',
  ...['/bin', '/etc', '/lib', '/lib64', '/sbin', '/usr/bin', '/usr/lib', '/usr/lib64', '/usr/sbin'],
  ...['/usr/libexec/podman', '/usr/local/bin', '/usr/local/lib', '/usr/local/sbin'],
]

/** Those of `points` that have to be there so that a view shows what it is to show, each after what it is on. Pure. */
export function pointsToKeep(points: string[], { folders, hidden }: MountView): string[] {
  const isIn = (path: string, folder: string) =>
    folder === '/' || path === folder || path.startsWith(`${folder}/`)
  const isShown = (point: string) =>
    systemFolders.some((folder) => isIn(point, folder)) ||
    [...singleFolders, ...folders].some((folder) => isIn(folder, point))
  return [...new Set(points)]
    .filter((point) => isShown(point) && !hidden.some((folder) => isIn(point, folder)))
    .sort((a, b) => a.length - b.length)
}
