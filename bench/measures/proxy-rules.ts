/** The Service proxy's rules for many Services, loaded into the kernel at once, and the change of one. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { CannotMeasure, type SkiffMeasure } from '../measure.ts'

const services = 10_000

export const proxyRules: SkiffMeasure = {
  name: 'proxy',
  needs: 'skiff',
  summary: `nftables rules of ${services} Services`,
  async run() {
    if (process.getuid?.() !== 0) throw new CannotMeasure('a network namespace needs root')
    const program = join(import.meta.dirname, '../load/proxy-load.ts')
    const { stdout } = await promisify(execFile)('unshare', ['--net', process.execPath, program, String(services)], { timeout: 60_000 })
    const { makeMs, loadMs, changeMs } = JSON.parse(stdout) as Record<'makeMs' | 'loadMs' | 'changeMs', number>
    const how = `${services.toLocaleString('en')} Services of 3 endpoints, in a network namespace of its own`
    return [
      { what: 'proxy: rules worked out', value: makeMs, unit: 'ms', how },
      { what: 'proxy: rules loaded by nft', value: loadMs, unit: 'ms', how },
      { what: 'proxy: endpoints of one Service changed', value: changeMs, unit: 'ms', how: 'with all the others loaded' },
    ]
  },
}
