/**
 * What the kernel remembers of flows by published ports. It leads each packet of a flow where the first one went, for
 * as long as packets come: to a container that is gone, or to nobody. Source: conntrack(8).
 */
import { networkInterfaces } from 'node:os'
import type { Spawner } from '../sys/spawner.ts'
import type { PublishedPort } from './networks.ts'

export interface Flows {
  /** Forgets all flows that were led to this address. */
  forgetTo(address: string): Promise<void>
  /** Forgets flows that came to these ports while nothing was published there. */
  forgetUnled(ports: Pick<PublishedPort, 'protocol' | 'hostPort'>[]): Promise<void>
  /** Forgets what is led by UDP to this port of this address. */
  forgetUdpTo(address: string, port: number): Promise<void>
  /** Connections by TCP, open or being opened, that were led to this address. */
  countTo(address: string): Promise<number>
}

/** Exit code of conntrack where it found nothing to delete. */
const nothingFound = 1

export function createFlows(spawner: Spawner, log: (message: string, error: unknown) => void): Flows {
  let isSaid = false

  async function conntrack(...options: string[]): Promise<string> {
    const { code, stdout, stderr } = await spawner.run(['conntrack', ...options])
    if (code !== 0 && code !== nothingFound && !isSaid) {
      isSaid = true
      log('flows to containers that are gone cannot be forgotten; is conntrack installed?', stderr || code)
    }
    return code === 0 ? stdout : ''
  }

  return {
    async forgetTo(address) {
      await conntrack('-D', '--reply-src', address)
    },
    async forgetUnled(ports) {
      // A flow by TCP that nobody answers ends by itself.
      for (const { hostPort } of ports.filter(({ protocol }) => protocol === 'udp'))
        for (const flow of unledFlows(
          await conntrack('-L', '-p', 'udp', '--dport', String(hostPort)),
          ownAddresses(),
        ))
          await conntrack('-D', '-p', 'udp', ...flow)
    },
    async forgetUdpTo(address, port) {
      await conntrack('-D', '-p', 'udp', '--reply-src', address, '--reply-port-src', String(port))
    },
    async countTo(address) {
      return ledConnections(await conntrack('-L', '-p', 'tcp', '--reply-src', address), address)
    },
  }
}

/** Of a listing: those that asked for another address than the one that answers, and are not closed or closing. */
export function ledConnections(listing: string, address: string): number {
  return listing
    .split('\n')
    .filter(
      (line) => / (SYN_SENT|SYN_RECV|ESTABLISHED) /.test(line) && /dst=(\S+)/.exec(line)?.[1] !== address,
    ).length
}

const ownAddresses = () =>
  Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address))

/** Options that name each flow of a listing which ends at one of these addresses itself. */
export function unledFlows(listing: string, addresses: string[]): string[][] {
  return listing.split('\n').flatMap((line) => {
    const [source, answerer] = [...line.matchAll(/src=(\S+)/g)].map(([, value]) => value)
    const [target] = [...line.matchAll(/dst=(\S+)/g)].map(([, value]) => value)
    const [from, to] = [/sport=(\d+)/.exec(line)?.[1], /dport=(\d+)/.exec(line)?.[1]]
    if (!source || !target || !from || !to || target !== answerer || !addresses.includes(target)) return []
    return [['-s', source, '-d', target, '--sport', from, '--dport', to]]
  })
}
