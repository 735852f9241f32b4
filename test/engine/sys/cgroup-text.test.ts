import { describe, expect, test } from 'vitest'
import { parseTraffic } from '../../../engine/containers/measure.ts'
import { parseProcess } from '../../../engine/containers/processes.ts'
import { type CgroupLimits, type CgroupWrite, limitsV1, limitsV2 } from '../../../engine/sys/cgroup-limits.ts'
import { usageV1, usageV2 } from '../../../engine/sys/cgroup-usage.ts'

describe('usage', () => {
  test('v1: nanoseconds, memory without the cache that can be taken back, sums of all disks', () => {
    const files = {
      'cpuacct/cpuacct.usage': '1234567890\n',
      'cpu/cpu.stat': 'nr_periods 10\nnr_throttled 3\nthrottled_time 5000\n',
      'memory/memory.usage_in_bytes': '5000\n',
      'memory/memory.stat': 'cache 9\ninactive_file 1\ntotal_cache 10\ntotal_inactive_file 2000\n',
      'memory/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 2\n',
      'pids/pids.current': '7\n',
      'blkio/blkio.throttle.io_service_bytes_recursive':
        '8:0 Read 100\n8:0 Write 20\n8:0 Sync 120\n8:0 Total 120\n8:16 Read 1\n8:16 Write 2\nTotal 123\n',
      'blkio/blkio.throttle.io_serviced_recursive': '8:0 Read 4\n8:0 Write 5\n8:0 Total 9\nTotal 9\n',
    }
    expect(usageV1(files)).toEqual({
      cpuNs: 1234567890,
      cpuThrottledNs: 5000,
      memoryBytes: 3000,
      memoryCacheBytes: 2000,
      pids: 7,
      outOfMemoryKills: 2,
      readBytes: 101,
      writtenBytes: 22,
      reads: 4,
      writes: 5,
    })
  })

  // The files as cgroup-v2.rst of the kernel's documentation shows them.
  test('v2: the same from its files', () => {
    const files = {
      'cpu.stat':
        'usage_usec 1500\nuser_usec 1000\nsystem_usec 500\nnr_periods 2\nnr_throttled 1\nthrottled_usec 40\n',
      'memory.current': '9000\n',
      'memory.stat': 'anon 5000\nfile 4000\ninactive_anon 1\nactive_file 1000\ninactive_file 3000\n',
      'memory.events': 'low 0\nhigh 0\nmax 4\noom 1\noom_kill 1\noom_group_kill 0\n',
      'pids.current': '2\n',
      'io.stat':
        '8:16 rbytes=1459200 wbytes=314773504 rios=192 wios=353 dbytes=0 dios=0\n8:0 rbytes=90430464 wbytes=299008000 rios=8950 wios=1252 dbytes=50331648 dios=3021\n',
    }
    expect(usageV2(files)).toEqual({
      cpuNs: 1_500_000,
      cpuThrottledNs: 40_000,
      memoryBytes: 6000,
      memoryCacheBytes: 3000,
      pids: 2,
      outOfMemoryKills: 1,
      readBytes: 91889664,
      writtenBytes: 613781504,
      reads: 9142,
      writes: 1605,
    })
  })

  test('a group that is going away has used nothing that can be read, and that is no error', () => {
    expect(usageV1({})).toEqual(usageV2({}))
    expect(usageV2({}).memoryBytes).toBe(0)
  })
})

describe('limits', () => {
  const before: CgroupLimits = {
    memoryBytes: 100,
    swapBytes: 0,
    cpuMillis: 500,
    cpuWeight: 100,
    pids: 10,
    io: {},
  }
  const said = (writes: CgroupWrite[]) => writes.map(({ file, value }) => `${file}=${value}`)

  test('v1: memory is never above memory with swap between two writes', () => {
    const grown = said(limitsV1({ ...before, memoryBytes: 200 }, before, null))
    expect(grown.slice(0, 2)).toEqual(['memory.memsw.limit_in_bytes=200', 'memory.limit_in_bytes=200'])
    const shrunk = said(limitsV1({ ...before, memoryBytes: 50, swapBytes: 5 }, before, null))
    expect(shrunk.slice(0, 2)).toEqual(['memory.limit_in_bytes=50', 'memory.memsw.limit_in_bytes=55'])
    expect(shrunk.slice(2)).toEqual(['cpu.cfs_quota_us=50000', 'cpu.shares=1024', 'pids.max=10'])
  })

  test('a weight is written while the group is not idle, which takes none', () => {
    const idle = { ...before, cpuIdle: true }
    const around = (writes: CgroupWrite[]) => said(writes).filter((line) => /idle|shares|weight/.test(line))
    expect(around(limitsV1(idle, null, null))).toEqual(['cpu.shares=1024', 'cpu.idle=1'])
    expect(around(limitsV1(before, idle, null))).toEqual(['cpu.idle=0', 'cpu.shares=1024'])
    expect(around(limitsV2(idle, idle, null))).toEqual(['cpu.idle=0', 'cpu.weight=100', 'cpu.idle=1'])
  })

  test('processors are written where they change, and those of the group above are asked for where none are said', () => {
    const some = { ...before, cpus: '1-3' }
    const write = { controller: 'cpuset', file: 'cpuset.cpus' }
    for (const limits of [limitsV1, limitsV2]) {
      expect(limits(some, before, null)).toContainEqual({ ...write, value: '1-3' })
      expect(limits(before, some, null)).toContainEqual({ ...write, value: null })
      for (const [next, last] of [
        [some, some],
        [before, before],
        [before, null],
      ] as const)
        expect(said(limits(next, last, null)).join()).not.toContain('cpuset')
    }
  })

  test('v1: a disk limit that is taken away is written as 0, one never made is not written', () => {
    const io = { readBytesPerSecond: 1000 }
    expect(said(limitsV1({ ...before, io }, null, '8:0')).slice(5)).toEqual([
      'blkio.throttle.read_bps_device=8:0 1000',
    ])
    expect(said(limitsV1(before, { ...before, io }, '8:0'))).toContain('blkio.throttle.read_bps_device=8:0 0')
  })

  test('v2: swap is said apart from memory, and what is not limited is max', () => {
    const next = { ...before, swapBytes: 7, cpuWeight: 50, io: { writesPerSecond: 3 } }
    expect(said(limitsV2(next, null, '8:0'))).toEqual([
      'memory.max=100',
      'memory.swap.max=7',
      'cpu.max=50000 100000',
      'cpu.weight=50',
      'pids.max=10',
      'io.max=8:0 rbps=max wbps=max riops=max wiops=3',
    ])
  })
})

test('a process is seen with the ids that it has inside, whatever its name contains', () => {
  const stat = `4242 (a) S 1 (b) ) S 1 4242 4242 0 -1 4194560 100 0 0 0 150 50 0 0 20 0 1 0 777 1000 25 1\n`
  const status = 'Name:\ta\nUid:\t1001000\t1001000\t1001000\t1001000\nVmRSS:\t    120 kB\nNSpid:\t4242\t7\n'
  const range = { base: 1_000_000, size: 65_536 }
  const seen = parseProcess({ stat, status, cmdline: 'app\0--port\0' }, range)
  expect(seen).toEqual({
    pid: 7,
    hostPid: 4242,
    uid: 1000,
    state: 'S',
    cpuMs: 2000,
    memoryBytes: 120 * 1024,
    command: ['app', '--port'],
  })
  expect(parseProcess({ stat, status: '', cmdline: '' }, range)).toMatchObject({ uid: 65_534, pid: 4242 })
})

test('traffic is that of all interfaces but loopback', () => {
  const text = `Inter-|   Receive  |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:     100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          0
  eth0:    2500      20    0    0    0     0          0         0      700       9    0    0    0     0       0          0
`
  expect(parseTraffic(text)).toEqual({
    receivedBytes: 2500,
    receivedPackets: 20,
    sentBytes: 700,
    sentPackets: 9,
  })
})
