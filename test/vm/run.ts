/**
 * Runs a command of this checkout in a virtual machine with cgroup v2 alone and an ext4 with project quota, which this
 * host may lack: `node test/vm/run.ts [--timeout SECONDS] [--disk OPTIONS] [-- COMMAND …]`. The guest sees the host's own
 * files, read-only below a folder in memory, so whatever is installed here is installed there. Not part of
 * `./berth test`: it takes minutes, and a kernel and qemu to be fetched.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { chooseAccelerator } from './accelerator.ts'
import { makeInitramfs } from './initramfs.ts'
import { ensureKernel } from './kernel.ts'
import { mustRun, runFor } from './processes.ts'
import { qemuCommand } from './qemu.ts'

const repository = join(import.meta.dirname, '../..')
/** Where each instruction is translated, a test takes ten times as long, and more beside other work. */
const patience = ['--no-file-parallelism', '--testTimeout', '1800000', '--hookTimeout', '1800000']
const usualCommand = [
  ...['vitest', 'run', '--project', 'main', ...patience],
  ...['test/engine/volumes', 'test/engine/sys/cgroups.test.ts', 'test/engine/containers'],
]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    timeout: { type: 'string', default: '10800' },
    memory: { type: 'string', default: '4096' },
    disk: { type: 'string', default: 'prjquota' },
  },
})

const missing = [
  ['qemu-system-x86_64', 'qemu-system-x86'],
  ['busybox', 'busybox-static'],
  ['modprobe', 'kmod'],
  ['mkfs.ext4', 'e2fsprogs'],
].filter(([program = '']) => !['/usr/sbin', '/usr/bin'].some((folder) => existsSync(join(folder, program))))
if (missing.length > 0) {
  console.error(`Install first: apt-get install ${missing.map(([, name]) => name).join(' ')}`)
  process.exit(1)
}

const folder = mkdtempSync(join(tmpdir(), 'berth-vm-'))
try {
  const kernel = await ensureKernel()
  const initramfs = await makeInitramfs(kernel, folder)
  const disk = join(folder, 'disk.img')
  await mustRun(['truncate', '--size=16G', disk])
  const command = positionals.length > 0 ? positionals : usualCommand
  writeFileSync(join(folder, 'share.sh'), guestScript(command, values.disk))
  const how = await chooseAccelerator(kernel.image)
  console.log(
    `${command.join(' ')}\n  on Linux ${kernel.version} by ${how}, cgroup v2, ext4 with ${values.disk}`,
  )
  const argv = qemuCommand({
    accelerator: how,
    kernel: kernel.image,
    initramfs,
    disk,
    memoryMegabytes: Number(values.memory),
    shares: { host: '/', modules: dirname(kernel.modules), share: folder },
  })
  const { ending } = await runFor(argv, { limitMs: Number(values.timeout) * 1_000, isShown: true })
  const said = join(folder, 'exit-code')
  if (!existsSync(said)) console.error(`the machine ended before the command did: ${ending}`)
  process.exitCode = existsSync(said) ? Number(readFileSync(said, 'utf8')) : 1
} finally {
  rmSync(folder, { recursive: true })
}

/** What the guest does once it has the host's files: see guest.sh. */
function guestScript(command: string[], diskOptions: string): string {
  const quote = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`
  return [
    `repository=${quote(repository)}`,
    `disk_options=${quote(diskOptions)}`,
    `. "$repository/test/vm/guest.sh"`,
    `run ${command.map(quote).join(' ')}`,
    '',
  ].join('\n')
}
