/**
 * A size limit for a folder by project quota, where its file system was mounted with `prjquota`. Sources: quotactl(2),
 * ioctl_fssetxattr in linux/fs.h.
 */
import { closeSync, openSync, readFileSync, statSync } from 'node:fs'
import koffi from 'koffi'
import { SystemCallError } from './syscalls.ts'

const libc = koffi.load('libc.so.6')
const ioctl = libc.func('int ioctl(int, unsigned long, void*)')
const quotactl = libc.func('int quotactl(int, const char*, unsigned int, void*)')
const getAttributes = 0x801c581f
const setAttributes = 0x401c5820
const inheritProject = 0x200
/** QCMD(Q_SETQUOTA, PRJQUOTA). */
const setProjectQuota = (0x800008 << 8) | 2
const blockLimits = 1
const blockBytes = 1_024

/** The device whose project quota is on for a path; null where there is none. Pure but for the path's device. */
export function quotaDevice(
  path: string,
  mountInfo = readFileSync('/proc/self/mountinfo', 'utf8'),
): string | null {
  const { dev } = statSync(path)
  const number = `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`
  for (const line of mountInfo.split('\n')) {
    const [fields = '', rest = ''] = line.split(' - ')
    const [, source = '', options = ''] = rest.split(' ')
    if (fields.split(' ')[2] === number && options.split(',').includes('prjquota')) return source
  }
  return null
}

/** Everything made below `folder` from now on counts to `project` (above 0, unique), and is limited. */
export function limitProject(device: string, folder: string, project: number, sizeBytes: number): void {
  const fd = openSync(folder, 'r')
  try {
    const attributes = Buffer.alloc(28)
    check(ioctl(fd, getAttributes, attributes), 'FS_IOC_FSGETXATTR', folder)
    attributes.writeUInt32LE(attributes.readUInt32LE(0) | inheritProject, 0)
    attributes.writeUInt32LE(project, 12)
    check(ioctl(fd, setAttributes, attributes), 'FS_IOC_FSSETXATTR', folder)
  } finally {
    closeSync(fd)
  }
  const quota = Buffer.alloc(72)
  const blocks = BigInt(Math.floor(sizeBytes / blockBytes))
  quota.writeBigUInt64LE(blocks, 0)
  quota.writeBigUInt64LE(blocks, 8)
  quota.writeUInt32LE(blockLimits, 64)
  check(quotactl(setProjectQuota, device, project, quota), 'quotactl', device)
}

function check(result: number, call: string, detail: string): void {
  if (Number(result) < 0) throw new SystemCallError(call, detail, koffi.errno())
}
