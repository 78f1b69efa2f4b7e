// GitHub as far as the action talks to it: comments of a pull request page by page, who a token is, and the files of a release.
import { createServer } from 'node:http';
import { createHash } from 'node:crypto';

export async function startGitHub({ token = 'the-token', readOnly = false, files = {} } = {}) {
  const state = { comments: [], requests: [], status: undefined };
  let last = 5_000_000_000;
  state.add = (login, body) => {
    const comment = { id: last += 1, user: { login }, body, html_url: `https://github.test/comment-${last}` };
    state.comments.push(comment);
    return comment;
  };
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    const url = new URL(request.url, 'http://github.test');
    state.requests.push(`${request.method} ${url.pathname}${url.search}`);
    const answer = (status, value) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    const release = /^\/someone\/rehearse\/releases\/download\/(.+)$/.exec(url.pathname);
    if (release) {
      const file = files[release[1]];
      return file === undefined ? response.writeHead(404).end('Not Found') : response.writeHead(200).end(file);
    }
    if (state.status) return answer(state.status, { message: 'as the test wants' });
    if (request.headers.authorization !== `Bearer ${token}`) return answer(401, { message: 'Bad credentials' });
    if (url.pathname === '/graphql') {
      return /^\s*\{\s*viewer\s*\{\s*login\s*\}\s*\}\s*$/.test(JSON.parse(body).query)
        ? answer(200, { data: { viewer: { login: 'github-actions[bot]' } } })
        : answer(200, { errors: [{ message: 'unknown query' }] });
    }
    if (request.method === 'GET' && url.pathname === '/api/repos/acme/shop/issues/7/comments') {
      const size = Math.min(Number(url.searchParams.get('per_page') ?? 30), 100);
      const page = Number(url.searchParams.get('page') ?? 1);
      return answer(200, state.comments.slice((page - 1) * size, page * size));
    }
    if (request.method !== 'GET' && readOnly) return answer(403, { message: 'Resource not accessible by integration' });
    if (request.method !== 'GET' && JSON.parse(body).body.length > 65_536) return answer(422, { message: 'Body is too long' });
    if (request.method === 'POST' && url.pathname === '/api/repos/acme/shop/issues/7/comments') {
      return answer(201, state.add('github-actions[bot]', JSON.parse(body).body));
    }
    const id = /^\/api\/repos\/acme\/shop\/issues\/comments\/(\d+)$/.exec(url.pathname)?.[1];
    const comment = state.comments.find((one) => String(one.id) === id);
    if (request.method === 'PATCH' && comment) {
      comment.body = JSON.parse(body).body;
      return answer(200, comment);
    }
    return answer(404, { message: 'Not Found' });
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  server.unref();
  state.url = `http://127.0.0.1:${server.address().port}`;
  state.close = () => server.close();
  return state;
}

export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
