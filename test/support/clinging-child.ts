/** Takes back that it ends with whoever started it, says so, and stays, whether or not anybody can hear it. */
import koffi from 'koffi'

const parentDeathSignal = 1
const prctl = koffi.load('libc.so.6').func('int prctl(int, unsigned long)')
prctl(parentDeathSignal, 0)
process.send?.('stays')
setInterval(() => {}, 1_000)
