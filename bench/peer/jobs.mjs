// The peer: empty jobs through BullMQ, measured as bench/empty_jobs.py measures ours.
//   node jobs.mjs REDIS_URL JOBS SINGLES CONCURRENCY   prints one line of JSON, all of it jobs a second

import { createRequire } from 'node:module';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';

const BULK = 1000;
const [url, ...numbers] = process.argv.slice(2);
const [jobs, singles, concurrency] = numbers.map(Number);

const connect = () => new Redis(url, { maxRetriesPerRequest: null });
// As with us: what failed would be tried again, and what is done leaves nothing in Redis.
const queue = new Queue('bench', {
  connection: connect(),
  defaultJobOptions: { attempts: 3, removeOnComplete: true },
});

async function rate(count, work) {
  const began = performance.now();
  await work();
  return (count * 1000) / (performance.now() - began);
}

async function enqueueInBulk() {
  for (let first = 0; first < jobs; first += BULK) {
    const size = Math.min(BULK, jobs - first);
    await queue.addBulk(Array.from({ length: size }, (_, i) => ({ name: 'empty', data: { row: first + i } })));
  }
}

async function enqueueOneByOne() {
  for (let row = 0; row < singles; row += 1) {
    await queue.add('empty', { row });
  }
}

let worker;

function runAll() {
  return new Promise((resolve, reject) => {
    let left = jobs;
    worker = new Worker(queue.name, async () => {}, { connection: connect(), concurrency });
    worker.on('completed', () => {
      left -= 1;
      if (left === 0) resolve();
    });
    worker.on('failed', (_, error) => reject(error));
    worker.on('error', reject);
  });
}

await queue.waitUntilReady();
const bulk = await rate(jobs, enqueueInBulk);
const run = await rate(jobs, runAll);
await worker.close();
const single = await rate(singles, enqueueOneByOne);
const { version } = createRequire(import.meta.url)('bullmq/package.json');
console.log(JSON.stringify({ version, node: process.versions.node, bulk, run, single }));
process.exit(0);
