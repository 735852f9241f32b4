/** crun, or runc where crun is missing, under conmon. */
import { existsSync, mkdirSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { constants as osConstants } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { EngineError } from '../errors.ts'
import { cgroupMode, unifiedFolder } from '../sys/cgroups.ts'
import type { MountLoan, MountView } from '../sys/mount-view.ts'
import { commandLine, processStart, signalProcess } from '../sys/processes.ts'
import type { Spawner } from '../sys/spawner.ts'
import { classPath, type RuntimeClass, runtimeClasses, runtimePaths } from './classes.ts'
import { conmonCommand } from './conmon.ts'
import { createProfiles } from './profiles.ts'
import type { Runtime } from './runtime.ts'
import { seccompProfile } from './seccomp.ts'
import { type RuntimeMount, runtimeConfig } from './spec.ts'

const createWithinMs = 30_000
/** The longest that a timer can wait: 24 days. */
const longestMs = 2 ** 31 - 1
/** conmon writes the exit code and ends, both within milliseconds of its container. */
const monitorEndsWithinMs = 3_000

interface Tool {
  executable: string
  /** Without whatever stands before it. */
  plain: string
  args: string[]
  root: string
  /** Whether it leaves compiled seccomp profiles. */
  compiles: boolean
}

const monitors = ['/usr/bin/conmon', '/usr/libexec/podman/conmon', '/usr/local/bin/conmon']

/**
 * @param runDir on a tmpfs; made if need be.
 * @param folders where bundles and logs are, beside it.
 * Throws unsupported, saying which packages to install.
 */
export async function openRuntime(runDir: string, folders: string[], spawner: Spawner): Promise<Runtime> {
  const found = (['crun', 'runc'] as const)
    .map((name) => ({ name, path: runtimePaths[name].find((path) => existsSync(path)) }))
    .find(({ path }) => path !== undefined)
  if (!found?.path)
    throw new EngineError('unsupported', 'neither crun nor runc is installed: apt-get install crun')
  const monitor = monitors.find((path) => existsSync(path))
  if (monitor === undefined)
    throw new EngineError('unsupported', 'conmon is not installed: apt-get install conmon')
  const { name, path } = found
  const cgroups = await cgroupMode()
  const root = join(runDir, 'runtime')
  const exitDir = join(runDir, 'exits')
  for (const folder of [root, exitDir]) await mkdir(folder, { recursive: true, mode: 0o711 })
  const versionText = await spawner.mustRun([path, '--version'])
  const version = /version (\S+)/.exec(versionText)?.[1] ?? 'unknown'
  const executable = name === 'crun' ? await writeWrapper(runDir, path) : path
  // crun refuses a v2 hierarchy that holds a controller beside v1 ones.
  const view: MountView = {
    folders: [runDir, ...folders],
    hidden: cgroups === 'hybrid' ? [unifiedFolder] : [],
  }
  const rootArgs = [`--root=${root}`, ...(name === 'crun' ? ['--cgroup-manager=cgroupfs'] : [])]
  const profiles = createProfiles(join(runDir, `seccomp-${name}-${version}`))

  /** Another runtime than the usual one has a folder of its own. */
  function toolOf(runtimeClass: RuntimeClass): Tool {
    if (runtimeClass === 'default' || (runtimeClass === 'runc' && name === 'runc'))
      return { executable, plain: path, args: rootArgs, root, compiles: name === 'crun' }
    const other = classPath(runtimeClass)
    const itsRoot = `${root}-${runtimeClass}`
    mkdirSync(itsRoot, { recursive: true, mode: 0o711 })
    const args = [`--root=${itsRoot}`]
    return { executable: other, plain: other, args, root: itsRoot, compiles: false }
  }

  /** The one that made a container, by where its record is. */
  function toolFor(id: string): Tool {
    const found = runtimeClasses.find((each) => each !== 'default' && existsSync(join(`${root}-${each}`, id)))
    return toolOf(found ?? 'default')
  }

  /** Its process, if it still is that one. */
  async function monitorOf(id: string, bundle: string): Promise<{ pid: number; start: string } | null> {
    const pid = Number(await readFile(join(bundle, 'conmon.pid'), 'utf8').catch(() => ''))
    const start = pid > 1 ? processStart(pid) : null
    const argv = commandLine(pid)
    return start !== null && argv[argv.indexOf('--cid') + 1] === id ? { pid, start } : null
  }

  async function untilMonitorEnds(id: string, bundle: string): Promise<void> {
    const found = await monitorOf(id, bundle)
    if (!found) return
    for (const until = Date.now() + monitorEndsWithinMs; Date.now() < until; await sleep(2))
      if (processStart(found.pid) !== found.start) return
    signalProcess(found.pid, found.start, 'SIGKILL')
  }

  return {
    name,
    version,
    cgroups,
    exitDir,
    async create(id, bundle, log, spec) {
      const tool = toolOf(spec.runtimeClass)
      const { refusedSyscalls: refused, nesting, ignoresSync } = spec
      const profile = seccompProfile({ refused, nesting, ignoresSync })
      const compiled = tool.compiles ? await profiles.find(profile) : null
      const seccomp = compiled === null ? profile : { compiled }
      const [mounts, loans] = await lendSources(bundle, spec.mounts)
      const config = runtimeConfig({ ...spec, mounts, seccomp })
      await writeFile(join(bundle, 'config.json'), JSON.stringify(config), { mode: 0o600 })
      const argv = conmonCommand({
        monitor,
        id,
        runtime: tool.executable,
        runtimeArgs: tool.args,
        bundle,
        exitDir,
        logFile: log.file,
        logMaxBytes: log.maxBytes,
        pidFile: join(bundle, 'pid'),
        conmonPidFile: join(bundle, 'conmon.pid'),
      })
      const env = { _OCI_SYNCPIPE: '3', _OCI_STARTPIPE: '4', XDG_RUNTIME_DIR: runDir }
      const pid = await spawner.startMonitor(argv, {
        ...{ cwd: bundle, env, timeoutMs: createWithinMs, view },
        loans: [{ source: spec.rootfs, target: spec.rootfs }, ...loans],
      })
      if (compiled === null && tool.compiles) await profiles.keep(profile, join(tool.root, id, 'seccomp.bpf'))
      return pid
    },
    async start(id) {
      // Takes nothing from its standard input.
      const { plain, args } = toolFor(id)
      await spawner.mustRun([plain, ...args, 'start', id], { view })
    },
    async exec(id, { processFile, pidFile, logFile, pipes, consoleSocket }) {
      const tool = toolFor(id)
      const argv = [
        pipes?.input ? tool.plain : tool.executable,
        ...tool.args,
        `--log=${logFile}`,
        '--log-format=json',
        'exec',
        `--process=${processFile}`,
        `--pid-file=${pidFile}`,
        ...(consoleSocket === null ? [] : ['--tty', `--console-socket=${consoleSocket}`]),
        id,
      ]
      const redirected = 'exec "$@" <"$BERTH_IN" >"$BERTH_OUT" 2>"$BERTH_ERR"'
      const { code, signal } = await spawner.run(pipes ? ['sh', '-c', redirected, 'sh', ...argv] : argv, {
        ...{ timeoutMs: longestMs, view },
        env: pipes
          ? { BERTH_IN: pipes.input ?? '/dev/null', BERTH_OUT: pipes.output, BERTH_ERR: pipes.errors }
          : {},
      })
      const said = code === 0 ? null : lastError(await readFile(logFile, 'utf8').catch(() => ''))
      if (said !== null)
        throw new EngineError(
          isOfWhatWasAsked.test(said) ? 'invalid' : 'internal',
          `cannot run it in container ${id}: ${said}`,
        )
      // It can die without a word, and then this is not the code of what was to run.
      if (code !== 0 && !existsSync(pidFile))
        throw new EngineError(
          'internal',
          `${name} ended with ${code ?? signal} before it ran it in container ${id}`,
        )
      return code ?? 128 + (osConstants.signals[signal as NodeJS.Signals] ?? 9)
    },
    async delete(id, bundle) {
      const tool = toolFor(id)
      // Of what it has no record it has nothing to delete, and to be told so takes it a while.
      const { code, stderr } = existsSync(join(tool.root, id))
        ? await spawner.run([tool.executable, ...tool.args, 'delete', '--force', id], { view })
        : { code: 0, stderr: '' }
      if (code !== 0 && existsSync(join(tool.root, id)))
        throw new EngineError('internal', `${name} could not delete container ${id}: ${stderr.trim()}`)
      await untilMonitorEnds(id, bundle)
    },
    untilMonitorEnds,
    async list() {
      const roots = runtimeClasses.map((each) => (each === 'default' ? root : `${root}-${each}`))
      const all = await Promise.all(roots.map((folder) => readdir(folder).catch(() => [])))
      return all.flat()
    },
  }
}

/** A program that is not there, is none, or may not be run, and a folder to run it in; all else is not the asker's fault. */
const isOfWhatWasAsked = /executable|\bexec\b|chdir|working directory/i

/** The last error in the runtime's log, lines of JSON. */
function lastError(log: string): string | null {
  const said = log
    .trim()
    .split('\n')
    .map((line) => (/^\{/.test(line) ? (JSON.parse(line) as { level?: string; msg?: string }) : {}))
    .flatMap(({ level, msg }) => (level === 'error' && msg ? [msg] : []))
  // Of a process that could not begin crun's own two words come before or after why it could not.
  return said.findLast((message) => message !== 'fail startup') ?? said.at(-1) ?? null
}

/** Host folders that are bound are lent below the bundle, and so they go with it, however we end. */
async function lendSources(bundle: string, mounts: RuntimeMount[]): Promise<[RuntimeMount[], MountLoan[]]> {
  const lent = mounts.map((mount, index) => {
    const isOutside = mount.type === 'bind' && !mount.source.startsWith(`${bundle}/`)
    return isOutside ? { ...mount, source: join(bundle, 'lent', String(index)) } : mount
  })
  const loans = mounts.flatMap(({ source }, index) => {
    const target = lent[index]?.source ?? source
    return target === source ? [] : [{ source, target }]
  })
  for (const { target } of loans) await mkdir(target, { recursive: true, mode: 0o711 })
  return [lent, loans]
}

/**
 * crun gives the files that it was started with to the container's user, and conmon starts it with the host's own
 * /dev/null: the script that stands before it makes its standard input a pipe that has ended.
 */
async function writeWrapper(runDir: string, crun: string): Promise<string> {
  const wrapper = join(runDir, 'crun')
  await writeFile(wrapper, `#!/bin/sh\n: | ${crun} "$@"\n`, { mode: 0o700 })
  return wrapper
}
