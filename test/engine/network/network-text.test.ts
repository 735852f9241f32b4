import { expect, test } from 'vitest'
import { forwardChange } from '../../../engine/network/firewall.ts'
import { unledFlows } from '../../../engine/network/flows.ts'
import { attachBatch, bridgeBatch, insideBatch, shapeBatch } from '../../../engine/network/links.ts'
import {
  addressIn,
  disjointRanges,
  formatRange,
  freeSubnet,
  parseRange,
} from '../../../engine/network/subnets.ts'

test('a /24 is free only if it overlaps nothing, larger or smaller', () => {
  const taken = ['10.89.0.0/24', '10.89.1.7', '10.89.2.0/23'].map(parseRange)
  expect(freeSubnet('10.89.0.0/16', taken)).toBe('10.89.4.0/24')
  expect(freeSubnet('10.89.0.0/16', [parseRange('10.0.0.0/8')])).toBeNull()
  expect(addressIn('10.89.4.0/24', 254)).toBe('10.89.4.254')
  for (const text of ['10.89.0.0/33', '10.89.0', '10.89.0.256/16', 'x'])
    expect(() => parseRange(text)).toThrow(/no IPv4 range/)
})

test('ranges that overlap or touch become one', () => {
  const ranges = ['10.0.1.0/24', '10.0.0.0/24', '10.0.0.128/25', '192.168.1.1'].map(parseRange)
  expect(disjointRanges(ranges).map(formatRange)).toEqual(['10.0.0.0-10.0.1.255', '192.168.1.1'])
})

test('flows that ended at the host itself are named, those that lead elsewhere are not', () => {
  const flow = (from: string, to: string, answerer: string) =>
    `udp 17 29 src=${from} dst=${to} sport=4000 dport=53 [UNREPLIED] src=${answerer} dst=${from} sport=53 dport=4000 use=1`
  const listing = [
    flow('198.18.0.2', '198.18.0.1', '198.18.0.1'),
    // Led to a container, and let through to another host.
    flow('198.18.0.3', '198.18.0.1', '10.89.4.2'),
    flow('10.89.4.2', '9.9.9.9', '9.9.9.9'),
    '',
  ].join('\n')
  expect(unledFlows(listing, ['127.0.0.1', '198.18.0.1'])).toEqual([
    ['-s', '198.18.0.2', '-d', '198.18.0.1', '--sport', '4000', '--dport', '53'],
  ])
})

test('the batches for ip and tc are exactly these', () => {
  expect(bridgeBatch('bthabc-1', '10.89.4.1', 1420).split('\n')).toEqual([
    'link add name bthabc-1 address 0a:58:0a:59:04:01 mtu 1420 type bridge mcast_snooping 0',
    'address add 10.89.4.1/24 dev bthabc-1',
    '',
  ])
  const ends = {
    link: 'bvabc-2',
    bridge: 'bthabc-1',
    pid: 42,
    inside: 'eth0',
    address: '10.89.4.2',
    mtu: 1420,
    hairpin: false,
  }
  expect(attachBatch(ends).split('\n')).toEqual([
    'link add name bvabc-2 mtu 1420 type veth peer name eth0 address 0a:58:0a:59:04:02 mtu 1420 netns 42',
    'link set dev bvabc-2 addrgenmode none',
    'link set dev bvabc-2 master bthabc-1 up',
    '',
  ])
  expect(attachBatch({ ...ends, hairpin: true })).toContain(
    'link set dev bvabc-2 type bridge_slave hairpin on\n',
  )
  expect(insideBatch('eth0', 0, '10.89.4.2', '10.89.4.1').split('\n')).toEqual([
    'link set dev lo up',
    'address add 10.89.4.2/24 dev eth0',
    'link set dev eth0 up',
    'route add default via 10.89.4.1 dev eth0',
    '',
  ])
  expect(insideBatch('eth1', 1, '10.89.5.2', '10.89.5.1')).toContain(
    'default via 10.89.5.1 dev eth1 metric 1\n',
  )
  expect(shapeBatch('bvabc-2', 8_000_000)).toBe(
    'qdisc replace dev bvabc-2 root tbf rate 8000000bit burst 65536 latency 50ms\n',
  )
})

test('ports lead elsewhere in one transaction, by rules that need no set, which would be gone for a packet on its way', () => {
  const targets = [1, 2, 3].map((host) => ({ address: `10.89.4.${host}`, port: 80 }))
  const change = forwardChange('berth_abc', {
    forwarded: [
      { protocol: 'tcp', hostPort: 20_001, sources: [], targets },
      {
        ...{ protocol: 'udp', hostPort: 20_002, sources: ['10.0.0.0/8', '192.0.2.1'] },
        targets: [{ address: '10.89.4.1', port: 53 }],
      },
    ],
    promised: [{ hostAddress: '0.0.0.0', protocol: 'udp', hostPort: 20_002 }],
    freed: [{ hostAddress: '0.0.0.0', protocol: 'tcp', hostPort: 20_003 }],
  })
  expect(change.split('\n').filter((line) => !line.includes('publishers'))).toEqual([
    'add element inet berth_abc promised { 0.0.0.0 . tcp . 20003 }',
    'delete element inet berth_abc promised { 0.0.0.0 . tcp . 20003 }',
    'add element inet berth_abc promised { 0.0.0.0 . udp . 20002 }',
    'flush chain inet berth_abc forwarded_ports',
    'add rule inet berth_abc forwarded_ports tcp dport 20001 numgen inc mod 3 0 dnat ip to 10.89.4.1:80',
    'add rule inet berth_abc forwarded_ports tcp dport 20001 numgen inc mod 2 0 dnat ip to 10.89.4.2:80',
    'add rule inet berth_abc forwarded_ports tcp dport 20001 dnat ip to 10.89.4.3:80',
    'add rule inet berth_abc forwarded_ports udp dport 20002 ip saddr 10.0.0.0-10.255.255.255 dnat ip to 10.89.4.1:53',
    'add rule inet berth_abc forwarded_ports udp dport 20002 ip saddr 192.0.2.1 dnat ip to 10.89.4.1:53',
    '',
  ])
})
