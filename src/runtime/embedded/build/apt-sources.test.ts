import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { machineAptSources } from './apt-sources.ts'

function withEtc(files: Record<string, string>, check: (etc: string) => void): void {
  const etc = mkdtempSync(join(tmpdir(), 'skiff-etc-'))
  try {
    mkdirSync(join(etc, 'apt/sources.list.d'), { recursive: true })
    for (const [name, content] of Object.entries(files)) writeFileSync(join(etc, name), content)
    check(etc)
  } finally {
    rmSync(etc, { recursive: true, force: true })
  }
}

describe('the machine’s apt sources', () => {
  it('are those of its release, in either form, without what other parties added', () => {
    withEtc(
      {
        'os-release': 'ID=debian\nVERSION_CODENAME=bookworm\n',
        'apt/sources.list':
          '# deb http://mirror.invalid/old bookworm main\ndeb [arch=amd64] http://mirror.invalid/debian bookworm main contrib # here\ndeb-src http://mirror.invalid/debian bookworm main\n',
        'apt/sources.list.d/debian.sources':
          'Types: deb deb-src\nURIs: http://mirror.invalid/security\nSuites: bookworm-security trixie\nComponents: main\nSigned-By: /usr/share/keyrings/x.gpg\n\nTypes: deb\nEnabled: no\nURIs: http://off.invalid\nSuites: bookworm\nComponents: main\n',
        'apt/sources.list.d/other.list': 'deb https://other.invalid/apt bookworm stable\ndeb https://third.invalid nodistro main\n',
        'apt/sources.list.d/ignored.bak': 'deb http://ignored.invalid bookworm main\n',
      },
      (etc) =>
        assert.deepEqual(machineAptSources(etc), {
          release: 'bookworm',
          lines: [
            'deb [arch=amd64] http://mirror.invalid/debian bookworm main contrib',
            'deb [signed-by=/usr/share/keyrings/x.gpg] http://mirror.invalid/security bookworm-security main',
          ],
        }),
    )
  })

  it('are missed with a sentence that says so', () => {
    withEtc({ 'os-release': 'ID=other\n' }, (etc) => assert.throws(() => machineAptSources(etc), /Debian and its relatives only/))
    withEtc({ 'os-release': 'VERSION_CODENAME=x\n' }, (etc) => assert.throws(() => machineAptSources(etc), /no source of x packages/))
  })
})
