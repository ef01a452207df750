/**
 * What the design asks of the source and no linter knows: which folder may import which; time and chance only from
 * the clock; no state in modules. The length of a file is a warning.
 */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/** For each folder of `src/` those it may import, beside itself. `name/file` allows that file alone. */
const contracts = ['machinery', 'apis', 'client']
const allowed: Record<string, string[]> = {
  machinery: [],
  apis: ['machinery'],
  store: ['machinery', 'apis'],
  client: ['machinery', 'apis'],
  trace: ['machinery', 'client'],
  apiserver: ['machinery', 'apis', 'store', 'client'],
  controllers: contracts,
  scheduler: contracts,
  runtime: ['machinery', 'client'],
  kubelet: [...contracts, 'runtime/runtime.ts', 'apiserver/request.ts'],
  network: [...contracts, 'runtime/runtime.ts'],
  proxy: [...contracts, 'network'],
  dns: [...contracts, 'network'],
  ingress: [...contracts, 'network'],
  metrics: contracts,
  autoscaler: [...contracts, 'scheduler'],
  web: contracts,
  cluster: ['*'],
  cli: ['*'],
}

/** The clock itself, and entry points where a person or the host is on the other side. */
const mayTellTime = [
  /^src\/machinery\/(real|virtual)-clock\.ts$/,
  /^src\/machinery\/clock\.ts$/,
  /^src\/cli\//,
  /^src\/cluster\/(launcher|stop)\.ts$/,
  /^src\/machinery\/schema\/generate\.ts$/,
]
const time = /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|(?<![.\w])(?:setTimeout|setInterval)\(/
const longFile = 450

const problems: string[] = []
const warnings: string[] = []

function checkImports(file: string, text: string): void {
  const folder = file.split('/')[1] ?? ''
  const rules = allowed[folder]
  if (!rules) {
    problems.push(`${file}: the folder src/${folder} is not in the design`)
    return
  }
  for (const match of text.matchAll(/(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g)) {
    const target = relative('.', join(dirname(file), match[1] ?? ''))
    if (!target.startsWith('src/')) {
      problems.push(`${file}: imports ${target}, outside of src/`)
      continue
    }
    const [, other = '', ...rest] = target.split('/')
    if (other === folder || rules.includes('*') || rules.includes(other) || rules.includes(`${other}/${rest.join('/')}`)) continue
    problems.push(`${file}: src/${folder} may not import src/${other}`)
  }
}

function checkLines(file: string, text: string): void {
  const isExcused = mayTellTime.some((pattern) => pattern.test(file))
  text.split('\n').forEach((line, index) => {
    const code = line.replace(/\/\/.*$/, '').replace(/^\s*\*.*$/, '')
    if (!isExcused && time.test(code)) problems.push(`${file}:${index + 1}: time and chance come from the clock`)
    if (/^(?:export )?let /.test(code)) problems.push(`${file}:${index + 1}: no state in modules`)
  })
  const length = text.split('\n').length
  if (length > longFile) warnings.push(`${file} has ${length} lines`)
}

for (const file of globSync('src/**/*.ts')) {
  if (file.endsWith('.test.ts') || file.includes('/generated/') || file.includes('/testing/') || file.endsWith('/generate.ts')) continue
  const text = readFileSync(file, 'utf8')
  if (!/\.contract\.ts$/.test(file)) checkLines(file, text)
  checkImports(file, text)
}

for (const warning of warnings) console.warn(`warning: ${warning}`)
for (const problem of problems) console.error(problem)
process.exit(problems.length > 0 ? 1 : 0)
