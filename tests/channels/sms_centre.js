// An SMS centre of node's `smpp` with phones behind it, steered over HTTP on a second port.
// It never keeps anything, and listens on loopback alone.
//
// SMPP_PORT, CONTROL_PORT, and for TLS: TLS_KEY, TLS_CERTIFICATE (files).
// Two parties may bind: `parley` (the firm's number) and `kannel` (a gateway that is the phones).
'use strict';
const fs = require('fs');
const http = require('http');
const smpp = require('smpp');

const FIRM = '15550001111';
const PASSWORD = 's3cret';
const bound = {parley: [], kannel: []};
const state = {texts: [], statuses: [], lose: false, thanks: true, binds: 0, enquiries: 0, acknowledged: []};
const parts = {};
let waiting = [];
let number = 0;

const hears = (session) => session.role !== 'bind_transmitter';
const listener = (party) => bound[party].find(hears);

function receipt(message, stat) {
  const text = `id:${message.id} sub:001 dlvrd:001 submit date:2611220530 done date:2611220531 ` +
    `stat:${stat} err:000 text:`;
  return {
    source_addr: message.to, source_addr_ton: 1, source_addr_npi: 1,
    destination_addr: message.from, dest_addr_ton: 1, dest_addr_npi: 1,
    esm_class: 4, short_message: text,
    receipted_message_id: message.id, message_state: stat === 'DELIVRD' ? 2 : 5,
  };
}

function handOver(party, fields, done) {
  const session = listener(party);
  if (!session) {
    waiting.push([party, fields, done]);
    return;
  }
  const handed = [party, fields, done];
  session.handed.add(handed);
  session.deliver_sm(Object.assign({}, fields), (answer) => {
    session.handed.delete(handed);
    state.acknowledged.push(answer.command_status);
    if (done) done(answer);
  });
}

// The header is read as a list of its elements, and written as bytes with their length before them.
function asItCame(message) {
  if (!message.udh) return message;
  const elements = Buffer.concat(message.udh);
  return {message: message.message, udh: Buffer.concat([Buffer.from([elements.length]), elements])};
}

function phoneText(pdu) {
  const udh = pdu.short_message.udh && pdu.short_message.udh.find((each) => each[0] === 0);
  const text = pdu.short_message.message;
  if (!udh) {
    state.texts.push(text);
    return;
  }
  const [reference, total, place] = [udh[2], udh[3], udh[4]];
  const held = parts[reference] = parts[reference] || {};
  held[place] = text;
  if (Object.keys(held).length === total) {
    state.texts.push(Object.keys(held).sort((a, b) => a - b).map((each) => held[each]).join(''));
    delete parts[reference];
  }
}

function submitted(session, pdu) {
  const status = state.statuses.shift() || 0;
  if (status) {
    session.send(pdu.response({command_status: status}));
    return;
  }
  const party = pdu.destination_addr === FIRM ? 'parley' : 'kannel';
  const message = {id: `c${++number}`, from: pdu.source_addr, to: pdu.destination_addr};
  if (party === 'kannel') phoneText(pdu);
  if (state.lose) {
    session.destroy();
    return;
  }
  session.send(pdu.response({message_id: message.id}));
  const sender = session.party;
  const report = (answer) => {
    const stat = answer && answer.command_status ? 'UNDELIV' : 'DELIVRD';
    if (pdu.registered_delivery & 1) handOver(sender, receipt(message, stat));
  };
  if (listener(party) || party === 'parley') {
    handOver(party, {
      source_addr: pdu.source_addr, source_addr_ton: pdu.source_addr_ton,
      source_addr_npi: pdu.source_addr_npi, destination_addr: pdu.destination_addr,
      dest_addr_ton: pdu.dest_addr_ton, dest_addr_npi: pdu.dest_addr_npi,
      esm_class: pdu.esm_class, data_coding: pdu.data_coding, short_message: asItCame(pdu.short_message),
    }, report);
  } else {
    report();
    if (state.thanks) write({text: 'Thank you'});
  }
}

function write(given) {
  handOver('parley', Object.assign({
    source_addr: '10000000001', source_addr_ton: 1, source_addr_npi: 1,
    destination_addr: FIRM, dest_addr_ton: 1, dest_addr_npi: 1, short_message: given.text,
  }, given.fields || {}));
}

function serve(session) {
  session.on('error', () => session.destroy());
  session.on('enquire_link', (pdu) => { state.enquiries++; session.send(pdu.response()); });
  session.on('unbind', (pdu) => { session.send(pdu.response()); session.close(); });
  session.on('submit_sm', (pdu) => submitted(session, pdu));
  session.handed = new Set();
  session.on('close', () => {
    if (!session.party) return;
    bound[session.party] = bound[session.party].filter((each) => each !== session);
    // What was handed over and not acknowledged is handed over again.
    waiting = [...session.handed, ...waiting];
  });
  for (const role of ['bind_transceiver', 'bind_transmitter', 'bind_receiver']) {
    session.on(role, (pdu) => {
      if (!(pdu.system_id in bound) || pdu.password !== PASSWORD) {
        session.send(pdu.response({command_status: smpp.ESME_RINVPASWD}));
        return;
      }
      state.binds++;
      session.party = pdu.system_id;
      session.role = role;
      session.send(pdu.response({system_id: 'centre'}));
      bound[session.party].push(session);
      const late = waiting;
      waiting = [];
      for (const each of late) handOver(...each);
    });
  }
}

const options = process.env.TLS_KEY ?
  {key: fs.readFileSync(process.env.TLS_KEY), cert: fs.readFileSync(process.env.TLS_CERTIFICATE)} : {};
smpp.createServer(options, serve).listen(Number(process.env.SMPP_PORT), '127.0.0.1');

http.createServer((request, response) => {
  let body = '';
  request.on('data', (piece) => { body += piece; });
  request.on('end', () => {
    const given = body ? JSON.parse(body) : {};
    if (request.url === '/write') write(given);
    if (request.url === '/set') Object.assign(state, given);
    if (request.url === '/drop') for (const party of Object.values(bound)) for (const each of party) each.destroy();
    if (request.url === '/reset') {
      Object.assign(state, {texts: [], statuses: [], lose: false, thanks: true, acknowledged: []});
      waiting = [];
    }
    const unanswered = Object.values(bound).flat().reduce(
      (sum, each) => sum + each.handed.size, waiting.length);
    const parties = Object.keys(bound).filter((each) => bound[each].length);
    const told = Object.assign({parties, unanswered}, state);
    response.end(JSON.stringify(told));
  });
}).listen(Number(process.env.CONTROL_PORT), '127.0.0.1');
