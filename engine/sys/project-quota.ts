/**
 * A size limit for a folder by project quota, where its file system was mounted with `prjquota`. Sources: quotactl(2),
 * quotactl_fd in linux/quota.h, ioctl_fssetxattr in linux/fs.h.
 */
import { createHash } from 'node:crypto'
import { closeSync, openSync, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import koffi from 'koffi'
import { EngineError } from '../errors.ts'
import { check } from './syscalls.ts'

const libc = koffi.load('libc.so.6')
const ioctl = libc.func('int ioctl(int, unsigned long, void*)')
const syscall = libc.func('long syscall(long, unsigned int, unsigned int, unsigned int, void*)')
/** Needs no device node, which a worker in a container has none of. The same number everywhere; Linux 5.14. */
const quotactlFd = 443
const getAttributes = 0x801c581f
const setAttributes = 0x401c5820
const inheritProject = 0x200
/** QCMD(Q_GETQUOTA, PRJQUOTA) and QCMD(Q_SETQUOTA, PRJQUOTA). */
const commands = { get: ((0x800007 << 8) | 2) >>> 0, set: ((0x800008 << 8) | 2) >>> 0 }
/** QIF_BLIMITS and QIF_ILIMITS. */
const bothLimits = 1 | 4
const blockBytes = 1_024

/** Ours are in the upper half of what numbers there are: lower ones are of the host's owner. */
const firstProject = 0x40000000
const projects = 0x3fffffff
const attempts = 1_000

/** Whether project quota is in force where a path is. Pure but for the path's device. */
export function hasProjectQuota(
  path: string,
  mountInfo = readFileSync('/proc/self/mountinfo', 'utf8'),
): boolean {
  const { dev } = statSync(path)
  const number = `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`
  return mountInfo.split('\n').some((line) => {
    const [fields = '', rest = ''] = line.split(' - ')
    const [, , options = ''] = rest.split(' ')
    return fields.split(' ')[2] === number && options.split(',').includes('prjquota')
  })
}

/**
 * Whatever is made below `folder` from now on counts to a project of its own, and is limited, in files too: as many as a
 * file system of that size would hold. The host's root may go beyond it.
 */
export function limitFolder(folder: string, sizeBytes: number): void {
  withFolder(folder, (fd) => {
    const attributes = attributesOf(fd, folder)
    const project = ownProject(folder) ?? freeProject(fd, folder)
    attributes.writeUInt32LE(attributes.readUInt32LE(0) | inheritProject, 0)
    attributes.writeUInt32LE(project, 12)
    check(ioctl(fd, setAttributes, attributes), 'FS_IOC_FSSETXATTR', folder)
    setLimits(fd, project, Math.floor(sizeBytes / blockBytes), Math.ceil(sizeBytes / bytesPerFile(sizeBytes)))
  })
}

/** Its project has no limit any more, so that nothing is remembered of it once its files are gone. */
export function forgetLimit(folder: string): void {
  const project = ownProject(folder)
  if (project !== null) withFolder(folder, (fd) => setLimits(fd, project, 0, 0))
}

/** What mkfs.ext4 gives a small file system, and another one. Source: mke2fs.conf(5). */
const bytesPerFile = (sizeBytes: number) => (sizeBytes < 512 * 2 ** 20 ? 4_096 : 16_384)

/** Null for one that has none, or its parent's. */
function ownProject(folder: string): number | null {
  const projectOf = (path: string) => withFolder(path, (fd) => attributesOf(fd, path).readUInt32LE(12))
  const project = projectOf(folder)
  return project === 0 || project === projectOf(dirname(folder)) ? null : project
}

/**
 * One that no file belongs to. Where to look first is the path's, so that engines which know nothing of each other look
 * at different ones; what still is in somebody's trash keeps its number until it is gone.
 */
function freeProject(fd: number, folder: string): number {
  const start = createHash('sha256').update(folder).digest().readUInt32LE(0)
  for (let attempt = 0; attempt < attempts; attempt++) {
    const project = firstProject + ((start + attempt) % projects)
    if (filesOf(fd, project) === 0n) return project
  }
  throw new EngineError('limit-exceeded', `no number for a project quota is free for ${folder}`)
}

function filesOf(fd: number, project: number): bigint {
  const quota = Buffer.alloc(72)
  check(syscall(quotactlFd, fd, commands.get, project, quota), 'quotactl', `project ${project}`)
  return quota.readBigUInt64LE(40)
}

function setLimits(fd: number, project: number, blocks: number, files: number): void {
  const quota = Buffer.alloc(72)
  // Hard and soft ones are the same: no time of grace.
  for (const at of [0, 8]) quota.writeBigUInt64LE(BigInt(blocks), at)
  for (const at of [24, 32]) quota.writeBigUInt64LE(BigInt(files), at)
  quota.writeUInt32LE(bothLimits, 64)
  check(syscall(quotactlFd, fd, commands.set, project, quota), 'quotactl', `project ${project}`)
}

function attributesOf(fd: number, folder: string): Buffer {
  const attributes = Buffer.alloc(28)
  check(ioctl(fd, getAttributes, attributes), 'FS_IOC_FSGETXATTR', folder)
  return attributes
}

function withFolder<T>(folder: string, work: (fd: number) => T): T {
  const fd = openSync(folder, 'r')
  try {
    return work(fd)
  } finally {
    closeSync(fd)
  }
}
