import { constants } from 'node:os'
import { EngineError } from '../errors.ts'
import { checkPublishedPorts } from '../network/host-ports.ts'
import { runtimeClasses } from '../runtime/classes.ts'
import { usualCapabilities } from '../runtime/spec.ts'
import { leastDiskBytes } from '../volumes/limited-folder.ts'
import type {
  ContainerFile,
  ContainerLimits,
  ContainerMount,
  ContainerSpec,
  HealthCheck,
} from './containers.ts'

const minMemoryBytes = 4 * 2 ** 20
const maxFileBytes = 2 ** 20
const minBitsPerSecond = 8_000
const maxId = 2 ** 32 - 2
/** As long as a timer can wait. */
const longestMs = 2 ** 31 - 1

/** Throws invalid, naming what is wrong: what passes can't confuse the runtime, the name server or a path. */
export function checkSpec(spec: ContainerSpec): void {
  const { id, limits, idRange } = spec
  checkId(id)
  must(/^[a-z0-9_-]{1,64}$/.test(spec.network), `${spec.network} is no name for a network`)
  for (const name of [...(spec.aliases ?? []), ...(spec.hostname === undefined ? [] : [spec.hostname])])
    must(isHostName(name), `${JSON.stringify(name)} is no host name`)
  if (spec.command !== undefined) checkCommand(spec.command)
  checkEnvironment(spec.environment)
  checkLimits(limits)
  must(
    Number.isSafeInteger(idRange.base) && idRange.base > 0 && Number.isSafeInteger(idRange.size),
    'the id range is not of whole numbers, or begins with the host’s root',
  )
  must(idRange.size > 0 && idRange.base + idRange.size <= maxId, 'the id range is empty or ends too high')
  checkPublishedPorts(spec.ports ?? [])
  if (spec.joins !== undefined) {
    checkId(spec.joins)
    must(spec.joins !== id, 'a container can’t join itself')
    must(spec.restart === undefined || spec.restart === 'no', 'what joins another container is not restarted')
    must(
      !spec.nesting && (spec.runtimeClass ?? 'default') !== 'gvisor',
      'such a container can’t join another',
    )
  }
  for (const rate of Object.values(spec.bandwidth ?? {}))
    must(
      rate === undefined || (Number.isSafeInteger(rate) && rate >= minBitsPerSecond),
      `a bandwidth is a whole number of bits a second, and at least ${minBitsPerSecond}`,
    )
  if (spec.stopSignal !== undefined) signalNumber(spec.stopSignal)
  const args = [...(spec.entrypoint ?? []), ...(spec.arguments ?? [])]
  must(spec.entrypoint === undefined || (spec.entrypoint[0] ?? '') !== '', 'the entrypoint is empty')
  must(!args.some((word) => word.includes('\0')), 'an argument contains a NUL')
  must(
    spec.arguments === undefined || spec.command === undefined,
    'arguments are for the image’s entrypoint, and a command replaces it',
  )
  must(!/[\0\n]/.test(spec.user ?? ''), 'the user is no name or number')
  checkMounts(spec.mounts ?? [], spec.files ?? [])
  checkFiles(spec.files ?? [])
  for (const name of spec.capabilities ?? [])
    must(
      usualCapabilities.includes(name),
      `${name} is none of the capabilities ${usualCapabilities.join(', ')}`,
    )
  for (const name of spec.refusedSyscalls ?? [])
    must(/^[a-z][a-z0-9_]{0,40}$/.test(name), `${name} is no system call`)
  for (const value of Object.values(spec.ulimits ?? {}))
    must(value === undefined || isAmount(value, 0), 'a ulimit is not a whole number')
  must(isAmount(spec.maxRestarts ?? 0, 0), 'the number of restarts is not a whole number')
  if (spec.runtimeClass !== undefined)
    must(
      runtimeClasses.includes(spec.runtimeClass),
      `the runtime class is none of ${runtimeClasses.join(', ')}`,
    )
  if (spec.healthCheck !== undefined && spec.healthCheck !== 'none') checkHealth(spec.healthCheck)
  const { maxBytes = 4_096, files = 2 } = spec.log ?? {}
  must(isAmount(maxBytes, 4_096), 'a log’s file has at least 4,096 bytes')
  must(isAmount(files, 2, 1_000), 'a log has 2–1,000 files')
  must(isAmount(spec.stopGraceMs ?? 0, 0, 3_600_000), 'the grace is not a whole number of 0–3,600,000 ms')
}

/** An id or a name: a path, a control group and a host name can be made of it. Throws invalid. */
export function checkId(id: string): void {
  must(
    /^[a-z0-9][a-z0-9_.-]{0,62}$/.test(id),
    `the id ${JSON.stringify(id)} is not [a-z0-9][a-z0-9_.-]{0,62}`,
  )
}

/** Throws invalid. */
export function checkCommand(command: string[]): void {
  must((command[0] ?? '') !== '', 'the command is empty')
  for (const word of command) must(!word.includes('\0'), 'the command contains a NUL')
}

/** Throws invalid. */
export function checkEnvironment(environment: Record<string, string> = {}): void {
  for (const [name, value] of Object.entries(environment))
    must(/^[^=\0]+$/.test(name) && !value.includes('\0'), `${name} is no environment variable`)
}

/** Ours, the runtime's and the kernel's places are not for mounting on, nor is another mount. */
const takenTargets = /^\/$|^\/(proc|sys|dev)(\/|$)|^\/etc\/(hosts|hostname|resolv\.conf)$/

function checkMounts(mounts: ContainerMount[], files: ContainerFile[]): void {
  const targets = [...mounts, ...files].map(({ target }) => target)
  for (const target of targets) {
    const isPlain =
      /^(\/[^/\0]+)+$/.test(target) && !target.split('/').some((part) => part === '.' || part === '..')
    must(isPlain, `${JSON.stringify(target)} is no plain absolute path to mount on`)
    must(!takenTargets.test(target), `${target} cannot be mounted on`)
    const others = targets.filter((other) => other === target || other.startsWith(`${target}/`))
    must(others.length === 1, `${target} holds another mount: who writes to it could lead that astray`)
  }
  for (const mount of mounts)
    if (mount.kind === 'tmpfs')
      must(isAmount(mount.sizeBytes, 4_096), 'a tmpfs has a size of 4,096 bytes or more')
    else checkId(mount.volume)
}

function checkFiles(files: ContainerFile[]): void {
  const bytes = files.reduce((sum, { content }) => sum + Buffer.byteLength(content), 0)
  must(bytes <= maxFileBytes, `the files have ${bytes} bytes, and at most ${maxFileBytes} are allowed`)
}

function checkHealth({
  test,
  intervalMs = 1,
  timeoutMs = 1,
  retries = 1,
  startPeriodMs = 0,
}: HealthCheck): void {
  if (test.kind === 'command') checkCommand(test.command)
  else must(isAmount(test.port, 1, 65_535), `${test.port} is no port`)
  if (test.kind === 'http')
    must(/^\/[\x21-\x7e]*$/.test(test.path ?? '/'), 'the path of a health check is no path')
  must(
    isAmount(intervalMs, 1, longestMs) && isAmount(timeoutMs, 1, longestMs),
    `the times of a health check are not of 1–${longestMs} ms`,
  )
  must(isAmount(retries, 1) && isAmount(startPeriodMs, 0), 'a health check has at least one try')
}

/** Throws invalid. */
export function checkLimits(limits: ContainerLimits): void {
  const { memoryBytes, cpuMillis, pids, swapBytes = 0, cpuWeight = 100, io = {} } = limits
  for (const amount of [
    memoryBytes,
    cpuMillis,
    pids,
    ...Object.values(io).filter((one) => one !== undefined),
  ])
    must(isAmount(amount, 1), 'a limit is not a whole number above 0')
  must(
    isAmount(limits.diskBytes ?? leastDiskBytes, leastDiskBytes),
    `the disk limit is not a whole number of ${leastDiskBytes} bytes or more`,
  )
  must(memoryBytes >= minMemoryBytes, `the memory limit is below ${minMemoryBytes} bytes`)
  must(isAmount(swapBytes, 0), 'the swap is not a whole number of bytes')
  must(isAmount(cpuWeight, 1, 10_000), 'the processor weight is not a whole number of 1–10,000')
  must(/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(limits.cpus ?? '0'), 'the processors are no list such as 0,2-3')
}

function isAmount(value: number, least: number, most = Number.MAX_SAFE_INTEGER): boolean {
  return Number.isSafeInteger(value) && value >= least && value <= most
}

/** Whether the network's name server can know it by this name. */
export function isHostName(name: string): boolean {
  return /^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/.test(name)
}

/** SIGTERM, TERM or 15. Throws invalid. */
export function signalNumber(text: string): number {
  const names = constants.signals as Record<string, number>
  const known = names[text] ?? names[`SIG${text}`] ?? (/^\d{1,2}$/.test(text) ? Number(text) : undefined)
  const realTime = /^(?:SIG)?RTMIN(?:\+(\d{1,2}))?$/.exec(text)
  const number = known ?? (realTime ? 34 + Number(realTime[1] ?? 0) : 0)
  must(number > 0 && number <= 64, `${text} is no signal`)
  return number
}

function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new EngineError('invalid', `what was asked for makes no sense: ${otherwise}`)
}
