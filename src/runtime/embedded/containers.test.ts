import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { insideNamespaces } from '../../../test/tools/namespaces.ts'
import { realClock } from '../../machinery/real-clock.ts'
import { RuntimeError } from '../runtime.ts'
import { buildBusyboxImage } from './build/busybox-image.ts'
import { command } from './command.ts'
import { createEmbeddedRuntime } from './embedded-runtime.ts'
import { openImageStore } from './images/image-store.ts'
import { nullNetwork } from './null-network.ts'
import { Pods, Session, until } from './testing/pods.ts'

const inside = insideNamespaces(import.meta.url)

if (inside)
  describe('containers by crun and conmon', () => {
    const { directory, cgroupRoot } = inside
    const options = { dataDir: join(directory, 'data'), stateDir: join(directory, 'run'), cgroupRoot, network: nullNetwork, clock: realClock }
    const told: string[] = []
    const forever = ['sleep', '1000']
    let pods: Pods

    before(async () => {
      const store = openImageStore(join(options.dataDir, 'images'))
      await buildBusyboxImage(store)
      await buildBusyboxImage(store, 'volumes:1', {
        settings: { Cmd: ['sleep', '1000'], Volumes: { '/etc': {} }, User: 'nobody', WorkingDir: '/made/for/me', Env: ['PATH=/bin', 'A=image'] },
      })
      pods = new Pods(
        await createEmbeddedRuntime({ ...options, log: (message) => told.push(message), logLimits: { size: 2000, files: 3 }, lookEvery: 1000 }),
        directory,
      )
    })
    after(async () => {
      for (const { id } of await pods.runtime.listPodSandboxes()) await pods.runtime.removePodSandbox(id)
      await pods.runtime.close()
      assert.deepEqual(
        [
          readdirSync(join(options.stateDir, 'containers')),
          readdirSync(join(options.stateDir, 'sandboxes')),
          readdirSync(join(options.dataDir, 'containers')),
          readdirSync(join(options.dataDir, 'images/leases')),
        ],
        [[], [], [], []],
      )
      assert.deepEqual(
        readFileSync('/proc/self/mounts', 'utf8')
          .split('\n')
          .filter((line) => line.includes(directory)),
        [],
        'mounts are left',
      )
    })

    it('gives the process its user, environment, directory, host name and limits of power', async () => {
      const { id, sandboxId } = await pods.run(forever, {
        envs: [{ key: 'A', value: 'b' }],
        security: { runAsUser: 1000, runAsGroup: 3000, supplementalGroups: [2000], noNewPrivileges: true },
      })
      assert.equal(await pods.output(id, 'id; hostname; echo $A $HOME'), 'uid=1000 gid=3000 groups=2000,3000\npod\nb /')
      assert.equal(await pods.output(id, 'cat /etc/resolv.conf'), 'search default.svc.cluster.local\nnameserver 10.96.0.10\noptions ndots:5')
      assert.match(await pods.output(id, 'grep -E "Seccomp:|NoNewPrivs|CapEff" /proc/self/status'), /CapEff:\t0{16}\nNoNewPrivs:\t1\nSeccomp:\t2/)
      assert.match(await pods.output(id, 'echo 1 >/proc/sys/kernel/panic'), /Read-only|denied|nonexistent/)
      assert.match(await pods.output(id, 'unshare -Ur true'), /not permitted/)
      assert.deepEqual((await pods.runtime.containerStatus(id))?.user, { uid: 1000, gid: 3000, supplementalGroups: [3000, 2000] })
      await pods.runtime.removePodSandbox(sandboxId)
    })

    it('takes from the image what the pod leaves open, and gives each container its own volumes with their content', async () => {
      const { id } = await pods.run([], { image: 'volumes:1' })
      assert.equal(await pods.output(id, 'id -u; pwd; echo $A; grep -c root /etc/passwd'), '65534\n/made/for/me\nimage\n1')
      assert.match(await pods.output(id, 'mount | grep " /etc "'), /\/etc/)
    })

    it('shows another image, or a part of it, as a volume that is only read, and lets go of it in the end', async () => {
      const image = (containerPath: string, subPath?: string) =>
        ({ containerPath, hostPath: '', image: { id: 'busybox:1.35', ...(subPath ? { subPath } : {}) }, readonly: true, propagation: 'private' }) as const
      const { id, sandboxId } = await pods.run(forever, { mounts: [image('/whole'), image('/part', 'etc')] })
      assert.equal(await pods.output(id, 'cat /whole/etc/passwd | head -1; ls /part | head -1'), 'root:x:0:0:root:/root:/bin/sh\ngroup')
      assert.match(await pods.output(id, 'touch /whole/x; /whole/bin/busybox true'), /Read-only file system[\s\S]*Permission denied/)
      const mounts = () =>
        readFileSync('/proc/self/mounts', 'utf8')
          .split('\n')
          .filter((line) => line.includes(id)).length
      assert.equal(mounts(), 3)
      await pods.runtime.removePodSandbox(sandboxId)
      assert.equal(mounts(), 0)
      await assert.rejects(pods.run(forever, { mounts: [image('/part', 'not/there')] }), /image volume has no sub path "not\/there"/)
    })

    it('refuses a sandbox for a runtime that it is not', async () => {
      await assert.rejects(
        pods.runtime.runPodSandbox(pods.sandbox({ runtimeHandler: 'gvisor' })),
        /failed to get sandbox runtime: no runtime for "gvisor" is configured/,
      )
      await pods.runtime.removePodSandbox(await pods.runtime.runPodSandbox(pods.sandbox({ runtimeHandler: 'runc' })))
    })

    it('grants what the host has to privileged containers, and says what it has not', async () => {
      const { id } = await pods.run(forever, {
        security: { privileged: true, addCapabilities: ['CAP_SYS_RESOURCE', 'SYS_ADMIN'], seccomp: { type: 'Unconfined' } },
      })
      assert.equal(
        await pods
          .output(id, 'mount -t tmpfs x /mnt 2>/dev/null || mount -t tmpfs x /tmp && echo mounted; ls /dev | wc -l')
          .then((text) => text.split('\n')[0]),
        'mounted',
      )
      const host = readFileSync('/proc/self/status', 'utf8')
      if (!(BigInt(`0x${/CapBnd:\s*(\S+)/.exec(host)?.[1]}`) & (1n << 24n)))
        assert.ok(
          told.some((line) => line.includes('SYS_RESOURCE')),
          told.join('\n'),
        )
    })

    it('says why a program cannot be started, as upstream does', async () => {
      const failing = async (program: string) => {
        const sandbox = pods.sandbox()
        const sandboxId = await pods.runtime.runPodSandbox(sandbox)
        const id = await pods.runtime.createContainer(sandboxId, pods.container([program]), sandbox)
        const error = await pods.runtime.startContainer(id).then(
          () => assert.fail('it started'),
          (reason) => reason,
        )
        assert.ok(error instanceof RuntimeError && error.code === 'RunContainerError')
        const status = await pods.runtime.containerStatus(id)
        assert.deepEqual([status?.state, status?.exitCode, status?.reason, status?.message], ['exited', 128, 'StartError', error.message])
        return error.message
      }
      assert.match(await failing('nosuch'), /exec: "nosuch": executable file not found in \$PATH$/)
      assert.match(await failing('/no/such'), /exec: "\/no\/such": stat \/no\/such: no such file or directory$/)
      assert.match(await failing('/etc/passwd'), /exec: "\/etc\/passwd": permission denied$/)
      const { id } = await pods.run(forever)
      await assert.rejects(pods.runtime.execSync(id, ['nosuch'], 5000), /OCI runtime exec failed: .*exec: "nosuch": executable file not found in \$PATH/)
      assert.equal((await pods.runtime.execSync(id, ['sh', '-c', 'exit 127'], 5000)).exitCode, 127)
      // What the user sees is the error alone, not also what crun printed of it; with a terminal or without.
      for (const tty of [false, true]) {
        const session = new Session()
        await assert.rejects(pods.runtime.exec(id, ['nosuch'], session.streams(tty)), /exec: "nosuch": executable file not found/)
        assert.deepEqual([session.output, session.errors], ['', ''])
        // Several at once: some end before crun has joined their terminals.
        await Promise.all(
          [1, 2, 3, 4, 5, 6].map(async () => {
            const early = new Session()
            const { exitCode } = await pods.runtime.exec(id, ['sh', '-c', 'echo out; echo why >&2; exit 3'], early.streams(tty))
            await early.seen('out')
            assert.deepEqual([exitCode, (early.output + early.errors).replaceAll('\r', '')], [3, 'out\nwhy\n'])
          }),
        )
      }
    })

    it('tells a container that ran out of memory from others, and changes limits while it runs', async () => {
      const greedy = await pods.run(['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=60M'], { resources: { memoryLimit: 20 << 20 } })
      const status = await pods.exited(greedy.id)
      assert.deepEqual([status.exitCode, status.reason], [137, 'OOMKilled'])
      const { id } = await pods.run(forever, { resources: { memoryLimit: 64 << 20, cpuShares: 512 } })
      await pods.runtime.updateContainerResources(id, { memoryLimit: 128 << 20 })
      const used = (await pods.runtime.stats()).flatMap((one) => one.containers).find((one) => one.id === id)
      assert.ok((used?.memory.workingSetBytes ?? 0) > 0 && (used?.cpu.usageCoreNanoSeconds ?? 0) > 0)
      assert.equal((await pods.runtime.containerStatus(id))?.resources.memoryLimit, 128 << 20)
      assert.equal(await pods.output(id, 'dd if=/dev/zero of=/dev/null bs=90M count=1 2>/dev/null && echo grown'), 'grown')
    })

    it('runs a shell on a terminal that changes its size', async () => {
      const { id } = await pods.run(forever)
      const session = new Session()
      const running = pods.runtime.exec(id, ['sh'], session.streams(true))
      session.resize(100, 30)
      session.stdin.write('stty size; tty\n')
      await session.seen(/30 100\r\n\/dev\/pts\/0/)
      session.resize(55, 22)
      await until('the terminal has the new size', async () => (await pods.output(id, 'stty size </dev/pts/0')) === '22 55')
      session.stdin.write('exit 5\n')
      assert.deepEqual(await running, { exitCode: 5 })
    })

    it('passes standard input to a command, and kills it when the client leaves', async () => {
      const { id } = await pods.run(forever)
      const session = new Session()
      session.stdin.end('one\ntwo\n')
      assert.deepEqual(await pods.runtime.exec(id, ['cat'], session.streams(false)), { exitCode: 0 })
      assert.equal(session.output, 'one\ntwo\n')
      const leaving = new Session()
      const running = pods.runtime.exec(id, ['sh', '-c', 'echo on; exec sleep 777'], leaving.streams(false))
      await leaving.seen('on\n')
      leaving.abort()
      await assert.rejects(running, /the client went away/)
      await until('the command is gone', async () => !(await pods.output(id, 'ps')).includes('sleep 777'))
    })

    it('attaches to the first process: both outputs, input once, and its terminal', async () => {
      const { id, log } = await pods.run(['sh', '-c', 'while read x; do echo got $x; echo err >&2; done; exit 4'], { stdin: true, stdinOnce: true })
      const session = new Session()
      const attached = pods.runtime.attach(id, session.streams(false))
      session.stdin.write('one\n')
      await session.seen('got one\n')
      session.stdin.end()
      await attached
      assert.equal((await pods.exited(id)).exitCode, 4)
      assert.equal(session.errors, 'err\n')
      assert.match(readFileSync(log, 'utf8'), /^\S+ stdout F got one\n\S+ stderr F err\n$/)

      const terminal = await pods.run(['sh'], { stdin: true, tty: true })
      const onTerminal = new Session()
      const there = pods.runtime.attach(terminal.id, onTerminal.streams(true))
      onTerminal.resize(90, 33)
      await until(
        'the size has arrived',
        async () => (await pods.output(terminal.id, 'stty size </dev/console 2>/dev/null || stty size </proc/1/fd/0')) === '33 90',
      )
      onTerminal.stdin.write('exit 3\n')
      await there
      assert.equal((await pods.exited(terminal.id)).exitCode, 3)
    })

    it('forwards a port, also to what listens on the loopback alone', async () => {
      const { id, sandboxId } = await pods.run(['nc', '-ll', '-p', '80', '-e', 'cat'])
      await until('it listens', async () => (await pods.output(id, 'cat /proc/net/tcp /proc/net/tcp6')).includes(':0050'))
      const connection = await pods.runtime.portForward(sandboxId, 80)
      connection.write('ping')
      const [answer] = await once(connection, 'data')
      assert.equal(answer.toString(), 'ping')
      connection.destroy()
      await assert.rejects(pods.runtime.portForward(sandboxId, 81), /dial tcp4 127\.0\.0\.1:81: connect: connection refused/)
    })

    it('lets containers share processes, and ends those of one alone', async () => {
      const sandbox = pods.sandbox({ pid: 'pod' })
      const { id: first, sandboxId } = await pods.run(forever, { security: { pid: 'pod' } }, sandbox)
      const second = await pods.runtime.createContainer(
        sandboxId,
        pods.container(['sh', '-c', 'sleep 999 & sleep 998'], { metadata: { name: 'second', attempt: 0 }, logPath: 'second/0.log', security: { pid: 'pod' } }),
        sandbox,
      )
      await pods.runtime.startContainer(second)
      await until('all are there', async () => /sleep 999/.test(await pods.output(first, 'ps')))
      await pods.runtime.stopContainer(second, 0)
      const left = await pods.output(first, 'ps')
      assert.ok(!left.includes('sleep 999') && left.includes('sleep 1000'), left)
      const target = pods.container(forever, { metadata: { name: 'debug', attempt: 0 }, logPath: 'debug/0.log', security: { pid: { target: first } } })
      const debug = await pods.runtime.createContainer(sandboxId, target, sandbox)
      await pods.runtime.startContainer(debug)
      assert.ok((await pods.output(debug, 'ps')).includes('sleep 1000'))
    })

    it('sets kernel parameters of the pod, and refuses those of the node', async () => {
      const { id } = await pods.run(forever, {}, pods.sandbox({ sysctls: { 'net.core.somaxconn': '77', 'kernel.shm_rmid_forced': '1' } }))
      assert.equal(await pods.output(id, 'cat /proc/sys/net/core/somaxconn /proc/sys/kernel/shm_rmid_forced'), '77\n1')
      await assert.rejects(pods.runtime.runPodSandbox(pods.sandbox({ sysctls: { 'kernel.panic': '1' } })), /not in a namespace of the pod/)
    })

    it('mounts volumes read-only or not, below one another, and what is mounted later where it is wanted', async () => {
      const volume = join(directory, 'volume')
      const nested = join(directory, 'nested')
      for (const one of [volume, nested]) mkdirSync(one)
      writeFileSync(join(volume, 'file'), 'content')
      const mounts = [
        { containerPath: '/v/nested', hostPath: nested, readonly: false, propagation: 'hostToContainer' as const },
        { containerPath: '/v', hostPath: volume, readonly: true, propagation: 'private' as const },
      ]
      mkdirSync(join(volume, 'nested'))
      await command('mount', ['--bind', nested, nested])
      await command('mount', ['--make-shared', nested])
      const { id } = await pods.run(forever, { mounts, security: { readonlyRootfs: true } })
      assert.match(await pods.output(id, 'cat /v/file; touch /v/x; touch /v/nested/y; ls /v/nested; touch /z'), /^contenty\n(.*Read-only file system\n?){2}$/)
      mkdirSync(join(nested, 'later'))
      await command('mount', ['-t', 'tmpfs', 'later', join(nested, 'later')])
      assert.match(await pods.output(id, 'mount'), /later on \/v\/nested\/later/)
      await pods.runtime.stopContainer(id, 0)
      await command('umount', [join(nested, 'later')])
      await command('umount', [nested])
    })

    it('rotates logs that grow too large', async () => {
      const { log } = await pods.run(['sh', '-c', 'i=0; while :; do i=$((i+1)); echo line $i of a log that is soon too large for its limit; sleep 0.01; done'])
      await until('there is an older file', () => readdirSync(join(log, '..')).some((name) => /^0\.log\.\d{8}-\d{6}$/.test(name)))
      await until('the new file is written to', () => existsSync(log) && readFileSync(log, 'utf8').length > 0)
    })

    it('ends a container whose conmon was killed', async () => {
      const { id } = await pods.run(forever)
      process.kill(Number(readFileSync(join(options.stateDir, 'containers', id, 'conmon.pid'), 'utf8')), 'SIGKILL')
      const status = await pods.exited(id)
      assert.deepEqual([status.exitCode, status.reason], [137, 'Error'])
      assert.match(status.message, /watched/)
    })

    it('shares network, host name and processes with the node where a pod asks for it', async () => {
      const sandbox = pods.sandbox({ network: 'node', pid: 'node', ipc: 'node', hostname: 'node' })
      const { id } = await pods.run(forever, { security: { pid: 'node' } }, sandbox)
      const links = ['net', 'uts', 'ipc', 'pid'].map((kind) => readlinkSync(`/proc/self/ns/${kind}`)).join('\n')
      assert.equal(await pods.output(id, 'for kind in net uts ipc pid; do readlink /proc/self/ns/$kind; done'), links)
      await pods.runtime.stopContainer(id, 0)
      assert.ok(process.pid > 0)
    })

    it('a full disk is an error that leaves nothing, and passes', async () => {
      const small = join(directory, 'small')
      mkdirSync(small)
      await command('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'small', small])
      const own = { ...options, dataDir: join(small, 'data'), stateDir: join(directory, 'small-run') }
      const store = openImageStore(join(own.dataDir, 'images'))
      await buildBusyboxImage(store)
      const filler = join(small, 'filler')
      await command('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4k'], {}).catch(() => {})
      const full = new Pods(await createEmbeddedRuntime(own), directory)
      await assert.rejects(full.run(forever), /no space left on device/i)
      await assert.rejects(buildBusyboxImage(store, 'second:1'), /no space left on device/i)
      assert.deepEqual([await full.runtime.listPodSandboxes(), store.list().length, readdirSync(join(own.dataDir, 'containers'))], [[], 1, []])
      rmSync(filler)
      const { id, sandboxId } = await full.run(forever)
      assert.match(await full.output(id, 'dd if=/dev/zero of=/file bs=1M count=20'), /No space left on device/)
      await full.runtime.removePodSandbox(sandboxId)
      await full.runtime.close()
      await command('umount', [small])
    })

    it('a sandbox whose network fails leaves nothing', async () => {
      const failing = { ...nullNetwork, attach: () => Promise.reject(new Error('no address is free')) }
      const own = { ...options, dataDir: join(directory, 'other'), stateDir: join(directory, 'other-run') }
      const runtime = await createEmbeddedRuntime({ ...own, network: failing })
      await assert.rejects(runtime.runPodSandbox(pods.sandbox()), /failed to setup network for sandbox "[0-9a-f]{64}": no address is free/)
      assert.deepEqual(
        [await runtime.listPodSandboxes(), readdirSync(join(own.stateDir, 'sandboxes')), readdirSync(join(own.dataDir, 'sandboxes'))],
        [[], [], []],
      )
      await runtime.close()
    })

    it('a server that was killed finds its containers again: running, ended meanwhile, and half made', async () => {
      const own = { ...options, dataDir: join(directory, 'killed'), stateDir: join(directory, 'killed-run') }
      await buildBusyboxImage(openImageStore(join(own.dataDir, 'images')))
      const server = spawn(
        process.execPath,
        [join(import.meta.dirname, 'testing/server.ts'), JSON.stringify({ ...own, network: undefined, clock: undefined, logs: directory })],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      )
      const [line] = await once(server.stdout, 'data')
      const { running, ending, sandboxId } = JSON.parse(line.toString())
      server.kill('SIGKILL')
      await once(server, 'exit')
      mkdirSync(join(own.dataDir, 'containers', 'f'.repeat(64)))
      await until('the second one has ended', () => readdirSync(join(own.stateDir, 'exits')).includes(ending))
      const again = new Pods(await createEmbeddedRuntime(own), directory)
      assert.equal((await again.runtime.containerStatus(running))?.state, 'running')
      assert.equal(await again.output(running, 'echo here'), 'here')
      const ended = await again.runtime.containerStatus(ending)
      assert.deepEqual([ended?.state, ended?.exitCode, ended?.reason], ['exited', 7, 'Error'])
      assert.equal((await again.runtime.podSandboxStatus(sandboxId))?.state, 'ready')
      assert.equal(readdirSync(join(own.dataDir, 'containers')).length, 2)
      await again.runtime.stopContainer(running, 0)
      assert.equal((await again.runtime.containerStatus(running))?.exitCode, 137)
      await again.runtime.removePodSandbox(sandboxId)
      await again.runtime.close()
    })
  })
