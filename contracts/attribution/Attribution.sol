// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

import {IAttribution} from "./IAttribution.sol";

/// The twin of the native attribution precompile: the same ABI, storage, logs, errors and balances, in plain Solidity.
///
/// It does not inherit IAttribution, for two rules of the interface cannot be had from the compiler's own dispatcher:
/// malformed calldata is the typed error MalformedInput(), and the order of the checks is fixed. So calldata is decoded
/// here, by hand, as strictly as the compiler would. Selectors, errors and events are the interface's own.
///
/// There is no constructor: a chain's genesis puts the runtime code and the platform's parameters in place. No opcode
/// younger than London is needed, so the code runs on every OP Stack fork.
///
/// State is declared in fields, so that the layout is the compiler's. A slot that packs several fields is written as
/// one word: a field by field write would read the slot again.
contract Attribution {
    // ------------------------------------------------------------------ storage

    struct Datanet {
        uint160 acc; // what one unit has earned, in 2^-64 wei
        uint96 remainder; // in 2^-64 wei
        uint96 totalUnits;
        uint64 members;
        uint64 contributions;
        address curator;
        bytes32 metadata;
    }

    struct Member {
        uint160 paidAcc;
        uint96 units;
    }

    struct Model {
        address owner;
        uint96 perCall;
        uint96 perKiloInput;
        uint96 perKiloOutput;
        uint64 baseModelId;
        uint16 ownerBps;
        uint16 lineageBps;
        uint16 dataBps;
        uint8 weightCount;
        uint96 firstWeight; // datanetId << 32 | weight
        uint96 secondWeight;
        address attributor;
        uint8 depth; // how many ancestors
        uint64 trainingStep;
        bytes32 metadata;
        uint64 inferences;
        uint128 revenue;
        uint64 lastTime;
        bytes32 history;
        bytes32 training;
        uint96[30] moreWeights;
    }

    struct Job {
        address payer;
        uint64 modelId;
        uint128 escrow;
        uint64 deadline;
        uint8 state;
        bytes32 requestHash;
    }

    /// The highest ids so far.
    struct Counts {
        uint64 datanets;
        uint64 models;
        uint64 jobs;
    }

    address private admin;
    address private treasury;
    uint16 private platformBps;
    uint8 private locked;
    Counts private counts;
    mapping(address account => uint256) private credits;
    mapping(address payer => uint64) private nonces;
    mapping(uint64 datanetId => Datanet) private datanets;
    mapping(uint64 datanetId => mapping(address account => Member)) private members;
    mapping(uint64 datanetId => mapping(bytes32 contentHash => uint256)) private contents;
    mapping(uint64 modelId => Model) private models;
    mapping(uint64 jobId => Job) private jobs;

    // ------------------------------------------------------------------ constants

    address private constant SELF = 0x4F50454E00000000000000000000000000000001;
    uint256 private constant ALL_BPS = 10_000;
    uint256 private constant MAX_PLATFORM_BPS = 3_000;
    uint256 private constant MAX_ANCESTORS = 4;
    uint256 private constant MAX_WEIGHTS = 32;
    uint256 private constant MAX_SECONDS_AHEAD = 30 days;
    uint256 private constant HALF_CURVE_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0;

    uint8 private constant OPEN = 1;
    uint8 private constant SETTLED = 2;
    uint8 private constant CANCELLED = 3;

    bytes32 private constant DOMAIN_TYPE_HASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant ATTESTATION_TYPE_HASH = keccak256(
        "Attestation(uint64 modelId,address payer,uint64 nonce,uint64 deadline,uint32 inputTokens,uint32 outputTokens,bytes32 requestHash,bytes32 responseHash,bytes32 evidence,uint256[] influence)"
    );

    /// One inference on its way from the calldata to the log.
    struct Inference {
        uint64 modelId;
        address payer;
        uint256 fee;
        uint32 count;
        uint64 inputTokens;
        uint64 outputTokens;
        bytes32 requestHash;
        bytes32 responseHash;
        bytes32 evidence;
    }

    /// A model's first two slots, read once.
    struct Terms {
        address owner;
        uint256 perCall;
        uint256 perKiloInput;
        uint256 perKiloOutput;
        uint64 baseModelId;
    }

    // ------------------------------------------------------------------ dispatch

    fallback(bytes calldata) external payable returns (bytes memory) {
        // Native mode charges 6 gas a word of calldata, trailing words included. This costs as much (3 to copy a word,
        // 3 for its memory) and nothing else: so native is never the dearer of the two.
        assembly ("memory-safe") {
            calldatacopy(mload(0x40), 0, calldatasize())
        }
        if (address(this) != SELF) revert IAttribution.DelegateCallNotAllowed();
        if (msg.data.length < 4) revert IAttribution.UnknownFunctionSelector(msg.sig);
        bytes4 s = msg.sig;
        if (s == IAttribution.infer.selector) return abi.encode(_infer());
        if (s == IAttribution.inferCompact.selector) return abi.encode(_inferCompact());
        if (s == IAttribution.inferAttested.selector) return abi.encode(_inferAttested());
        if (s == IAttribution.inferBatch.selector) return abi.encode(_inferBatch());
        if (s == IAttribution.request.selector) return abi.encode(_request());
        return _notPayable(s);
    }

    function _notPayable(bytes4 s) private returns (bytes memory) {
        if (s == IAttribution.setPlatform.selector) return _given(_setPlatform);
        if (s == IAttribution.createDatanet.selector) return abi.encode(_guarded(_createDatanet));
        if (s == IAttribution.contribute.selector) return _given(_contribute);
        if (s == IAttribution.setUnits.selector) return _given(_setUnits);
        if (s == IAttribution.transferCurator.selector) return _given(_transferCurator);
        if (s == IAttribution.registerModel.selector) return abi.encode(_guarded(_registerModel));
        if (s == IAttribution.setPrice.selector) return _given(_setPrice);
        if (s == IAttribution.setAttributor.selector) return _given(_setAttributor);
        if (s == IAttribution.transferModel.selector) return _given(_transferModel);
        if (s == IAttribution.recordTraining.selector) return _given(_recordTraining);
        if (s == IAttribution.settle.selector) return abi.encode(_guarded(_settle));
        if (s == IAttribution.cancel.selector) return _given(_cancel);
        if (s == IAttribution.harvest.selector) return _given(_harvest);
        if (s == IAttribution.claim.selector) return abi.encode(_guarded(_claim));
        if (s == IAttribution.claimFor.selector) return abi.encode(_guarded(_claimFor));
        return _view(s);
    }

    function _view(bytes4 s) private returns (bytes memory) {
        if (s == IAttribution.platform.selector) return _seen(_platform);
        if (s == IAttribution.version.selector) return _seen(_version);
        if (s == IAttribution.datanet.selector) return _seen(_datanet);
        if (s == IAttribution.member.selector) return _seen(_member);
        if (s == IAttribution.model.selector) return _seen(_model);
        if (s == IAttribution.usage.selector) return _seen(_usage);
        if (s == IAttribution.quote.selector) return _seen(_quote);
        if (s == IAttribution.nonces.selector) return _seen(_nonces);
        if (s == IAttribution.job.selector) return _seen(_job);
        if (s == IAttribution.claimable.selector) return _seen(_claimable);
        revert IAttribution.UnknownFunctionSelector(s);
    }

    function _given(function() internal method) private returns (bytes memory) {
        _refuseValue();
        method();
        return "";
    }

    function _guarded(function() internal returns (uint256) method) private returns (uint256) {
        _refuseValue();
        return method();
    }

    function _seen(function() internal view returns (bytes memory) method) private returns (bytes memory) {
        _refuseValue();
        return method();
    }

    function _refuseValue() private {
        if (msg.value != 0) revert IAttribution.NonPayable();
    }

    /// The first step of every mutator, once its calldata is decoded: the platform's slot.
    function _enter() private view returns (uint256 word) {
        assembly {
            word := sload(treasury.slot)
        }
        if ((word >> 176) & 0xff != 0) revert IAttribution.Reentrancy();
    }

    // ------------------------------------------------------------------ calldata

    /// That `words` words of arguments are there.
    function _need(uint256 words) private pure {
        if (msg.data.length < 4 + 32 * words) revert IAttribution.MalformedInput();
    }

    function _at(uint256 position, uint256 bits) private pure returns (uint256 value) {
        assembly {
            value := calldataload(position)
        }
        if (value >> bits != 0) revert IAttribution.MalformedInput();
    }

    /// Argument number `index`, of at most `bits` bits.
    function _uint(uint256 index, uint256 bits) private pure returns (uint256) {
        return _at(4 + 32 * index, bits);
    }

    function _uint64(uint256 index) private pure returns (uint64) {
        return uint64(_uint(index, 64));
    }

    function _address(uint256 index) private pure returns (address) {
        return address(uint160(_uint(index, 160)));
    }

    function _bytes32(uint256 index) private pure returns (bytes32) {
        return bytes32(_uint(index, 256));
    }

    /// First byte and count of the array at `offset` from `base`; at least one word follows `base`.
    function _array(uint256 base, uint256 offset, uint256 itemWords) private pure returns (uint256 start, uint256 count) {
        uint256 size = msg.data.length;
        if (offset > size - base - 32) revert IAttribution.MalformedInput();
        start = base + offset + 32;
        count = _at(start - 32, 256);
        if (count > (size - start) / (32 * itemWords)) revert IAttribution.MalformedInput();
    }

    /// The `uint256[]` whose offset is argument number `index`.
    function _influence(uint256 index) private pure returns (uint256[] calldata influence) {
        (uint256 start, uint256 count) = _array(4, _uint(index, 256), 1);
        assembly {
            influence.offset := start
            influence.length := count
        }
    }

    /// The `uint64[]` whose offset is argument number `index`.
    function _ids(uint256 index) private pure returns (uint64[] memory ids) {
        (uint256 start, uint256 count) = _array(4, _uint(index, 256), 1);
        ids = new uint64[](count);
        for (uint256 i = 0; i < count; ++i) {
            ids[i] = uint64(_at(start + 32 * i, 64));
        }
    }

    function _noInfluence() private pure returns (uint256[] calldata influence) {
        assembly {
            influence.offset := 0
            influence.length := 0
        }
    }

    // ------------------------------------------------------------------ platform

    function _setPlatform() private {
        _need(3);
        address newAdmin = _address(0);
        address newTreasury = _address(1);
        uint256 bps = _uint(2, 16);
        _enter();
        if (msg.sender != admin) revert IAttribution.Unauthorized(msg.sender);
        if (newAdmin == address(0) || newTreasury == address(0)) revert IAttribution.InvalidAddress();
        if (bps > MAX_PLATFORM_BPS) revert IAttribution.TooMany(bps, MAX_PLATFORM_BPS);
        uint256 word = (bps << 160) | uint160(newTreasury);
        assembly {
            sstore(admin.slot, newAdmin)
            sstore(treasury.slot, word)
        }
        emit IAttribution.PlatformSet(newAdmin, newTreasury, uint16(bps));
    }

    function _platform() private view returns (bytes memory) {
        return abi.encode(admin, treasury, platformBps);
    }

    function _version() private pure returns (bytes memory) {
        return abi.encode(uint64(1));
    }

    // ------------------------------------------------------------------ DataNets

    function _createDatanet() private returns (uint256) {
        _need(1);
        bytes32 metadata = _bytes32(0);
        _enter();
        uint256 ids = _counts();
        uint64 id = uint64(ids);
        if (id == type(uint64).max) revert IAttribution.AmountOverflow();
        id += 1;
        _setCounts(ids + 1);
        Datanet storage d = datanets[id];
        address curator = msg.sender;
        assembly {
            sstore(add(d.slot, 2), curator)
            sstore(add(d.slot, 3), metadata)
        }
        emit IAttribution.DatanetCreated(id, curator, metadata);
        return id;
    }

    /// A DataNet in the middle of a contribution.
    struct Tally {
        uint256 acc;
        uint256 remainder;
        uint256 total;
        uint256 members;
        uint256 contributions;
        uint256 fractions;
    }

    function _contribute() private {
        _need(2);
        uint64 id = _uint64(0);
        (uint256 start, uint256 count) = _array(4, _uint(1, 256), 3);
        for (uint256 i = 0; i < count; ++i) {
            _at(start + 96 * i, 160);
            _at(start + 96 * i + 32, 96);
        }
        _enter();
        Datanet storage d = _curated(id);
        Tally memory t = Tally(d.acc, d.remainder, d.totalUnits, d.members, d.contributions, 0);
        for (uint256 i = 0; i < count; ++i) {
            uint256 at = start + 96 * i;
            _accept(id, t, address(uint160(_at(at, 160))), _at(at + 32, 96), bytes32(_at(at + 64, 256)));
        }
        t.contributions += count;
        if (t.members > type(uint64).max || t.contributions > type(uint64).max) revert IAttribution.AmountOverflow();
        _setMembership(d, t.total, t.members, t.contributions);
        _returnFraction(d, t.acc, t.remainder, t.fractions);
    }

    function _accept(uint64 id, Tally memory t, address contributor, uint256 units, bytes32 contentHash) private {
        if (contributor == address(0)) revert IAttribution.InvalidAddress();
        if (contents[id][contentHash] != 0) revert IAttribution.DuplicateContent(contentHash);
        contents[id][contentHash] = 1;
        Member storage m = members[id][contributor];
        (uint256 paid, uint256 before) = (m.paidAcc, m.units);
        t.total += units;
        if (t.total > type(uint96).max) revert IAttribution.AmountOverflow();
        if (before == 0 && units != 0) t.members += 1;
        uint256 scaled = _scaled(t.acc, paid, before);
        _setMember(m, t.acc, before + units);
        _credit(contributor, scaled >> 64);
        t.fractions += uint64(scaled);
        emit IAttribution.Contributed(id, contributor, uint96(units), contentHash);
    }

    function _setUnits() private {
        _need(3);
        uint64 id = _uint64(0);
        address contributor = _address(1);
        uint256 units = _uint(2, 96);
        _enter();
        Datanet storage d = _curated(id);
        if (contributor == address(0)) revert IAttribution.InvalidAddress();
        Member storage m = members[id][contributor];
        (uint256 paid, uint256 before) = (m.paidAcc, m.units);
        Tally memory t = Tally(d.acc, d.remainder, d.totalUnits, d.members, d.contributions, 0);
        if (t.total + units < before || t.total + units - before > type(uint96).max) {
            revert IAttribution.AmountOverflow();
        }
        t.total = t.total + units - before;
        uint256 joined = units == 0 ? 0 : 1;
        uint256 left = before == 0 ? 0 : 1;
        if (t.members + joined < left || t.members + joined - left > type(uint64).max) {
            revert IAttribution.AmountOverflow();
        }
        uint256 scaled = _scaled(t.acc, paid, before);
        _setMember(m, t.acc, units);
        _setMembership(d, t.total, t.members + joined - left, t.contributions);
        _credit(contributor, scaled >> 64);
        _returnFraction(d, t.acc, t.remainder, uint64(scaled));
        emit IAttribution.UnitsSet(id, contributor, uint96(before), uint96(units));
    }

    function _transferCurator() private {
        _need(2);
        uint64 id = _uint64(0);
        address to = _address(1);
        _enter();
        Datanet storage d = _curated(id);
        if (to == address(0)) revert IAttribution.InvalidAddress();
        assembly {
            sstore(add(d.slot, 2), to)
        }
        emit IAttribution.CuratorTransferred(id, msg.sender, to);
    }

    function _datanet() private view returns (bytes memory) {
        _need(1);
        (Datanet storage d, address curator) = _existingDatanet(_uint64(0));
        return abi.encode(curator, d.metadata, d.totalUnits, d.members, d.contributions);
    }

    function _member() private view returns (bytes memory) {
        _need(2);
        uint64 id = _uint64(0);
        address account = _address(1);
        (Datanet storage d,) = _existingDatanet(id);
        Member storage m = members[id][account];
        (uint256 paid, uint256 units) = (m.paidAcc, m.units);
        uint256 pending = units == 0 ? 0 : _scaled(d.acc, paid, units) >> 64;
        return abi.encode(units, pending);
    }

    function _existingDatanet(uint64 id) private view returns (Datanet storage d, address curator) {
        d = datanets[id];
        curator = d.curator;
        if (curator == address(0)) revert IAttribution.UnknownDatanet(id);
    }

    function _curated(uint64 id) private view returns (Datanet storage d) {
        address curator;
        (d, curator) = _existingDatanet(id);
        if (curator != msg.sender) revert IAttribution.Unauthorized(msg.sender);
    }

    // ------------------------------------------------------------------ models

    /// What registerModel is given, and where its weights are.
    struct Registration {
        bytes32 metadata;
        uint64 baseModelId;
        uint256 attributor;
        uint256 perCall;
        uint256 perKiloInput;
        uint256 perKiloOutput;
        uint256 ownerBps;
        uint256 lineageBps;
        uint256 dataBps;
        uint256[] weights; // datanetId << 32 | weight
    }

    function _decodeRegistration() private pure returns (Registration memory r) {
        _need(1);
        uint256 offset = _uint(0, 256);
        uint256 size = msg.data.length;
        if (size < 4 + 320 || offset > size - 4 - 320) revert IAttribution.MalformedInput();
        uint256 base = 4 + offset;
        r.metadata = bytes32(_at(base, 256));
        r.baseModelId = uint64(_at(base + 32, 64));
        r.attributor = _at(base + 64, 160);
        r.perCall = _at(base + 96, 96);
        r.perKiloInput = _at(base + 128, 96);
        r.perKiloOutput = _at(base + 160, 96);
        r.ownerBps = _at(base + 192, 16);
        r.lineageBps = _at(base + 224, 16);
        r.dataBps = _at(base + 256, 16);
        (uint256 start, uint256 count) = _array(base, _at(base + 288, 256), 2);
        r.weights = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            r.weights[i] = (_at(start + 64 * i, 64) << 32) | _at(start + 64 * i + 32, 32);
        }
    }

    function _registerModel() private returns (uint256) {
        Registration memory r = _decodeRegistration();
        _enter();
        if (r.ownerBps + r.lineageBps + r.dataBps != ALL_BPS) revert IAttribution.InvalidSplit();
        if (r.lineageBps != 0 && r.baseModelId == 0) revert IAttribution.InvalidSplit();
        uint256 ids = _counts();
        _checkWeights(r.weights, uint64(ids));
        uint64 id = uint64(ids >> 64);
        uint256 depth = _depth(r.baseModelId, id);
        if (id == type(uint64).max) revert IAttribution.AmountOverflow();
        id += 1;
        _setCounts(ids + (1 << 64));
        _writeModel(models[id], r, depth);
        emit IAttribution.ModelRegistered(id, msg.sender, r.baseModelId, r.metadata);
        return id;
    }

    function _checkWeights(uint256[] memory weights, uint64 known) private pure {
        if (weights.length > MAX_WEIGHTS) revert IAttribution.TooMany(weights.length, MAX_WEIGHTS);
        uint256 previous = 0;
        uint256 total = 0;
        for (uint256 i = 0; i < weights.length; ++i) {
            uint256 id = weights[i] >> 32;
            if (id <= previous) revert IAttribution.InvalidWeights();
            if (id > known) revert IAttribution.UnknownDatanet(uint64(id));
            previous = id;
            total += uint32(weights[i]);
        }
        if (total == 0) revert IAttribution.InvalidWeights();
    }

    function _depth(uint64 baseModelId, uint64 known) private view returns (uint256 depth) {
        if (baseModelId == 0) return 0;
        if (baseModelId > known) revert IAttribution.UnknownModel(baseModelId);
        depth = uint256(models[baseModelId].depth) + 1;
        if (depth > MAX_ANCESTORS) revert IAttribution.LineageTooDeep(depth, MAX_ANCESTORS);
    }

    function _writeModel(Model storage m, Registration memory r, uint256 depth) private {
        uint256[] memory w = r.weights;
        uint256 first = (r.perCall << 160) | uint160(msg.sender);
        uint256 split = r.ownerBps | (r.lineageBps << 16) | (r.dataBps << 32) | (w.length << 48) | (w[0] << 56);
        if (w.length > 1) split |= w[1] << 152;
        uint256 attribution = (depth << 160) | r.attributor;
        bytes32 metadata = r.metadata;
        _setPriceSlots(m, first, r.perKiloInput, r.perKiloOutput, r.baseModelId);
        assembly {
            sstore(add(m.slot, 2), split)
            sstore(add(m.slot, 3), attribution)
            sstore(add(m.slot, 4), metadata)
        }
        for (uint256 i = 2; i < w.length; i += 2) {
            uint256 word = w[i];
            if (i + 1 < w.length) word |= w[i + 1] << 96;
            uint256 index = (i - 2) / 2;
            assembly {
                sstore(add(add(m.slot, 8), index), word)
            }
        }
    }

    function _setPriceSlots(Model storage m, uint256 first, uint256 input, uint256 output, uint64 base) private {
        uint256 second = input | (output << 96) | (uint256(base) << 192);
        assembly {
            sstore(m.slot, first)
            sstore(add(m.slot, 1), second)
        }
    }

    function _setPrice() private {
        _need(4);
        uint64 id = _uint64(0);
        IAttribution.Price memory price =
            IAttribution.Price(uint96(_uint(1, 96)), uint96(_uint(2, 96)), uint96(_uint(3, 96)));
        _enter();
        (Model storage m,) = _owned(id);
        uint64 base = m.baseModelId;
        uint256 first = (uint256(price.perCall) << 160) | uint160(msg.sender);
        _setPriceSlots(m, first, price.perKiloInput, price.perKiloOutput, base);
        emit IAttribution.ModelPriced(id, price);
    }

    function _setAttributor() private {
        _need(2);
        uint64 id = _uint64(0);
        address attributor = _address(1);
        _enter();
        (Model storage m,) = _owned(id);
        m.attributor = attributor;
        emit IAttribution.AttributorSet(id, attributor);
    }

    function _transferModel() private {
        _need(2);
        uint64 id = _uint64(0);
        address to = _address(1);
        _enter();
        (Model storage m, uint256 perCall) = _owned(id);
        if (to == address(0)) revert IAttribution.InvalidAddress();
        uint256 first = (perCall << 160) | uint160(to);
        assembly {
            sstore(m.slot, first)
        }
        emit IAttribution.ModelTransferred(id, msg.sender, to);
    }

    function _recordTraining() private {
        _need(4);
        uint64 id = _uint64(0);
        uint64 step = _uint64(1);
        bytes32 checkpoint = _bytes32(2);
        bytes32 dataRoot = _bytes32(3);
        _enter();
        (Model storage m,) = _owned(id);
        uint256 word;
        assembly {
            word := sload(add(m.slot, 3))
        }
        uint64 last = uint64(word >> 168);
        unchecked {
            if (step <= last) revert IAttribution.InvalidNonce(step, last + 1);
        }
        word = (word & ((1 << 168) - 1)) | (uint256(step) << 168);
        assembly {
            sstore(add(m.slot, 3), word)
        }
        m.training = keccak256(abi.encode(m.training, step, checkpoint, dataRoot, block.timestamp));
        emit IAttribution.TrainingRecorded(id, step, checkpoint, dataRoot);
    }

    function _model() private view returns (bytes memory) {
        _need(1);
        (Model storage m, Terms memory terms) = _existingModel(_uint64(0));
        _readPrice(m, terms);
        IAttribution.Split memory split = IAttribution.Split(m.ownerBps, m.lineageBps, m.dataBps);
        uint256[] memory packed = _weights(m, m.weightCount, m.firstWeight, m.secondWeight);
        IAttribution.Weight[] memory weights = new IAttribution.Weight[](packed.length);
        for (uint256 i = 0; i < packed.length; ++i) {
            weights[i] = IAttribution.Weight(uint64(packed[i] >> 32), uint32(packed[i]));
        }
        return abi.encode(
            terms.owner,
            m.attributor,
            terms.baseModelId,
            m.metadata,
            IAttribution.Price(uint96(terms.perCall), uint96(terms.perKiloInput), uint96(terms.perKiloOutput)),
            split,
            weights
        );
    }

    function _usage() private view returns (bytes memory) {
        _need(1);
        (Model storage m,) = _existingModel(_uint64(0));
        return abi.encode(m.inferences, m.revenue, m.lastTime, m.history, m.training);
    }

    function _quote() private view returns (bytes memory) {
        _need(3);
        uint64 id = _uint64(0);
        uint64 inputTokens = _uint64(1);
        uint64 outputTokens = _uint64(2);
        (Model storage m, Terms memory terms) = _existingModel(id);
        _readPrice(m, terms);
        return abi.encode(_quoted(terms, 1, inputTokens, outputTokens));
    }

    function _existingModel(uint64 id) private view returns (Model storage m, Terms memory terms) {
        m = models[id];
        (terms.owner, terms.perCall) = (m.owner, m.perCall);
        if (terms.owner == address(0)) revert IAttribution.UnknownModel(id);
    }

    function _owned(uint64 id) private view returns (Model storage m, uint256 perCall) {
        Terms memory terms;
        (m, terms) = _existingModel(id);
        if (terms.owner != msg.sender) revert IAttribution.Unauthorized(msg.sender);
        perCall = terms.perCall;
    }

    function _readPrice(Model storage m, Terms memory terms) private view {
        (terms.perKiloInput, terms.perKiloOutput, terms.baseModelId) = (m.perKiloInput, m.perKiloOutput, m.baseModelId);
    }

    function _quoted(Terms memory terms, uint256 count, uint256 inputTokens, uint256 outputTokens)
        private
        pure
        returns (uint256)
    {
        return terms.perCall * count + terms.perKiloInput * inputTokens / 1000 + terms.perKiloOutput * outputTokens / 1000;
    }

    function _attributorOf(Model storage m, Terms memory terms) private view returns (address attributor) {
        attributor = m.attributor;
        if (attributor == address(0)) attributor = terms.owner;
    }

    // ------------------------------------------------------------------ inference

    function _infer() private returns (uint256) {
        _need(5);
        Inference memory x;
        x.modelId = _uint64(0);
        x.inputTokens = uint64(_uint(1, 32));
        x.outputTokens = uint64(_uint(2, 32));
        x.requestHash = _bytes32(3);
        x.responseHash = _bytes32(4);
        return _inferPlain(x);
    }

    function _inferCompact() private returns (uint256) {
        if (msg.data.length != 48) revert IAttribution.MalformedInput();
        uint256 head = _at(4, 256);
        Inference memory x;
        x.modelId = uint32(head >> 224);
        x.inputTokens = uint32(head >> 192);
        x.outputTokens = uint32(head >> 160);
        x.requestHash = bytes32(_at(16, 256));
        return _inferPlain(x);
    }

    function _inferPlain(Inference memory x) private returns (uint256) {
        uint256 platformWord = _enter();
        (Model storage m, Terms memory terms) = _existingModel(x.modelId);
        x.payer = msg.sender;
        x.count = 1;
        _takeFee(m, terms, x);
        return _payAndRecord(platformWord, m, terms, x, _noInfluence());
    }

    function _inferAttested() private returns (uint256) {
        _need(11);
        Inference memory x;
        x.modelId = _uint64(0);
        x.payer = _address(1);
        uint64 nonce = _uint64(2);
        uint64 deadline = _uint64(3);
        x.count = 1;
        x.inputTokens = uint64(_uint(4, 32));
        x.outputTokens = uint64(_uint(5, 32));
        x.requestHash = _bytes32(6);
        x.responseHash = _bytes32(7);
        x.evidence = _bytes32(8);
        uint256[] calldata influence = _influence(9);
        (uint256 signature, uint256 length) = _signature();
        uint256 platformWord = _enter();
        _checkLength(influence);
        (Model storage m, Terms memory terms) = _existingModel(x.modelId);
        if (msg.sender != x.payer) revert IAttribution.Unauthorized(msg.sender);
        _useNonce(m, terms, x.payer, nonce, deadline, influence, signature, length);
        _takeFee(m, terms, x);
        return _payAndRecord(platformWord, m, terms, x, influence);
    }

    /// First byte and length of the signature, whose offset is argument number 10.
    function _signature() private pure returns (uint256 start, uint256 length) {
        uint256 size = msg.data.length;
        uint256 offset = _uint(10, 256);
        if (offset > size - 4 - 32) revert IAttribution.MalformedInput();
        start = 4 + offset + 32;
        length = _at(start - 32, 256);
        if (length > size - start) revert IAttribution.MalformedInput();
    }

    function _useNonce(
        Model storage m,
        Terms memory terms,
        address payer,
        uint64 nonce,
        uint64 deadline,
        uint256[] calldata influence,
        uint256 signature,
        uint256 length
    ) private {
        uint64 expected = nonces[payer];
        if (nonce != expected) revert IAttribution.InvalidNonce(nonce, expected);
        if (nonce == type(uint64).max) revert IAttribution.AmountOverflow();
        if (block.timestamp > deadline) revert IAttribution.Expired(deadline);
        address signer = _attributorOf(m, terms);
        if (length != 65) revert IAttribution.InvalidSignature();
        if (_recover(_digest(influence), signature) != signer) revert IAttribution.InvalidSignature();
        uint256 next = uint256(nonce) + 1;
        mapping(address => uint64) storage all = nonces;
        assembly {
            mstore(0, payer)
            mstore(32, all.slot)
            sstore(keccak256(0, 64), next)
        }
    }

    /// EIP-712; the attestation's nine words are the first nine arguments as they stand in the calldata.
    function _digest(uint256[] calldata influence) private view returns (bytes32) {
        bytes32 separator = keccak256(
            abi.encode(DOMAIN_TYPE_HASH, keccak256("OpenAttribution"), keccak256("1"), block.chainid, SELF)
        );
        bytes32 structHash = keccak256(
            abi.encodePacked(ATTESTATION_TYPE_HASH, msg.data[4:292], keccak256(abi.encodePacked(influence)))
        );
        return keccak256(abi.encodePacked("\x19\x01", separator, structHash));
    }

    function _recover(bytes32 digest, uint256 signature) private pure returns (address recovered) {
        bytes32 r = bytes32(_at(signature, 256));
        uint256 s = _at(signature + 32, 256);
        uint8 v = uint8(_at(signature + 64, 256) >> 248);
        if ((v != 27 && v != 28) || s > HALF_CURVE_ORDER) revert IAttribution.InvalidSignature();
        recovered = ecrecover(digest, v, r, bytes32(s));
        if (recovered == address(0)) revert IAttribution.InvalidSignature();
    }

    function _inferBatch() private returns (uint256) {
        _need(6);
        Inference memory x;
        x.modelId = _uint64(0);
        x.count = uint32(_uint(1, 32));
        x.inputTokens = _uint64(2);
        x.outputTokens = _uint64(3);
        x.requestHash = _bytes32(4);
        uint256[] calldata influence = _influence(5);
        if (x.count == 0) revert IAttribution.MalformedInput();
        uint256 platformWord = _enter();
        _checkLength(influence);
        (Model storage m, Terms memory terms) = _existingModel(x.modelId);
        if (msg.sender != _attributorOf(m, terms)) revert IAttribution.Unauthorized(msg.sender);
        x.payer = msg.sender;
        _takeFee(m, terms, x);
        return _payAndRecord(platformWord, m, terms, x, influence);
    }

    function _nonces() private view returns (bytes memory) {
        _need(1);
        return abi.encode(nonces[_address(0)]);
    }

    function _checkLength(uint256[] calldata influence) private pure {
        if (influence.length > MAX_WEIGHTS) revert IAttribution.TooMany(influence.length, MAX_WEIGHTS);
    }

    function _takeFee(Model storage m, Terms memory terms, Inference memory x) private view {
        if (msg.value > type(uint128).max) revert IAttribution.AmountOverflow();
        x.fee = msg.value;
        _readPrice(m, terms);
        uint256 required = _quoted(terms, x.count, x.inputTokens, x.outputTokens);
        if (x.fee < required) revert IAttribution.FeeTooLow(x.fee, required);
    }

    function _payAndRecord(
        uint256 platformWord,
        Model storage m,
        Terms memory terms,
        Inference memory x,
        uint256[] calldata influence
    ) private returns (uint256) {
        uint256 cut = x.fee * uint16(platformWord >> 160) / ALL_BPS;
        if (cut > x.fee) revert IAttribution.AmountOverflow();
        _credit(address(uint160(platformWord)), cut);
        _distribute(m, terms.owner, terms.baseModelId, x.fee - cut, influence);
        return _record(m, x, influence);
    }

    function _record(Model storage m, Inference memory x, uint256[] calldata influence) private returns (uint256) {
        uint256 id = uint256(m.inferences) + x.count;
        uint256 revenue = uint256(m.revenue) + x.fee;
        if (id > type(uint64).max || revenue > type(uint128).max) revert IAttribution.AmountOverflow();
        uint256 word = id | (revenue << 64) | (block.timestamp << 192);
        assembly {
            sstore(add(m.slot, 5), word)
        }
        m.history = keccak256(
            abi.encode(
                m.history,
                id,
                x.payer,
                x.fee,
                x.count,
                x.inputTokens,
                x.outputTokens,
                x.requestHash,
                x.responseHash,
                x.evidence,
                keccak256(abi.encodePacked(influence)),
                block.timestamp
            )
        );
        _logInference(x, uint64(id), influence);
        return id;
    }

    function _logInference(Inference memory x, uint64 id, uint256[] calldata influence) private {
        emit IAttribution.Inferred(
            x.modelId,
            id,
            x.payer,
            x.fee,
            x.count,
            x.inputTokens,
            x.outputTokens,
            x.requestHash,
            x.responseHash,
            x.evidence,
            influence
        );
    }

    // ------------------------------------------------------------------ jobs

    function _request() private returns (uint256) {
        _need(3);
        uint64 modelId = _uint64(0);
        bytes32 requestHash = _bytes32(1);
        uint64 deadline = _uint64(2);
        _enter();
        _existingModel(modelId);
        if (msg.value > type(uint128).max) revert IAttribution.AmountOverflow();
        if (deadline <= block.timestamp) revert IAttribution.Expired(deadline);
        uint256 ahead = deadline - block.timestamp;
        if (ahead > MAX_SECONDS_AHEAD) revert IAttribution.TooMany(ahead, MAX_SECONDS_AHEAD);
        uint256 ids = _counts();
        uint64 id = uint64(ids >> 128);
        if (id == type(uint64).max) revert IAttribution.AmountOverflow();
        id += 1;
        _setCounts(ids + (1 << 128));
        Job storage j = jobs[id];
        uint256 first = (uint256(modelId) << 160) | uint160(msg.sender);
        assembly {
            sstore(j.slot, first)
        }
        _setTerms(j, msg.value, deadline, OPEN);
        j.requestHash = requestHash;
        emit IAttribution.JobRequested(id, modelId, msg.sender, msg.value, requestHash, deadline);
        return id;
    }

    function _settle() private returns (uint256) {
        _need(6);
        uint64 id = _uint64(0);
        Inference memory x;
        x.inputTokens = uint64(_uint(1, 32));
        x.outputTokens = uint64(_uint(2, 32));
        x.responseHash = _bytes32(3);
        x.evidence = _bytes32(4);
        x.count = 1;
        uint256[] calldata influence = _influence(5);
        uint256 platformWord = _enter();
        _checkLength(influence);
        return _settleOpen(id, x, platformWord, influence);
    }

    function _settleOpen(uint64 id, Inference memory x, uint256 platformWord, uint256[] calldata influence)
        private
        returns (uint256 inferenceId)
    {
        (Job storage j, uint256 escrow, uint64 deadline) = _openJob(id, x);
        (Model storage m, Terms memory terms) = _existingModel(x.modelId);
        if (msg.sender != _attributorOf(m, terms)) revert IAttribution.Unauthorized(msg.sender);
        if (block.timestamp > deadline) revert IAttribution.Expired(deadline);
        x.requestHash = j.requestHash;
        _setTerms(j, 0, deadline, SETTLED);
        _readPrice(m, terms);
        x.fee = _quoted(terms, 1, x.inputTokens, x.outputTokens);
        if (x.fee > escrow) x.fee = escrow;
        inferenceId = _payAndRecord(platformWord, m, terms, x, influence);
        _credit(x.payer, escrow - x.fee);
        emit IAttribution.JobSettled(id, x.modelId, uint64(inferenceId), x.fee, escrow - x.fee);
    }

    function _cancel() private {
        _need(1);
        uint64 id = _uint64(0);
        _enter();
        Inference memory x;
        (Job storage j, uint256 escrow, uint64 deadline) = _openJob(id, x);
        if (msg.sender != x.payer) revert IAttribution.Unauthorized(msg.sender);
        if (block.timestamp <= deadline) revert IAttribution.JobOpenUntil(deadline);
        _setTerms(j, 0, deadline, CANCELLED);
        _credit(x.payer, escrow);
        emit IAttribution.JobCancelled(id, escrow);
    }

    function _job() private view returns (bytes memory) {
        _need(1);
        uint64 id = _uint64(0);
        Job storage j = jobs[id];
        (address payer, uint64 modelId) = (j.payer, j.modelId);
        if (payer == address(0)) revert IAttribution.UnknownJob(id);
        return abi.encode(modelId, payer, j.escrow, j.requestHash, j.deadline, j.state);
    }

    /// The job, which is open; its payer and model go into `x`.
    function _openJob(uint64 id, Inference memory x)
        private
        view
        returns (Job storage j, uint256 escrow, uint64 deadline)
    {
        j = jobs[id];
        (x.payer, x.modelId) = (j.payer, j.modelId);
        if (x.payer == address(0)) revert IAttribution.UnknownJob(id);
        uint8 state;
        (escrow, deadline, state) = (j.escrow, j.deadline, j.state);
        if (state != OPEN) revert IAttribution.JobClosed(id);
    }

    function _setTerms(Job storage j, uint256 escrow, uint64 deadline, uint8 state) private {
        uint256 word = escrow | (uint256(deadline) << 128) | (uint256(state) << 192);
        assembly {
            sstore(add(j.slot, 1), word)
        }
    }

    // ------------------------------------------------------------------ earnings

    function _harvest() private {
        _need(2);
        uint64[] memory ids = _ids(0);
        address account = _address(1);
        uint256 platformWord = _enter();
        // Changes nothing, but halts in a static frame even when there is nothing to harvest.
        assembly {
            sstore(treasury.slot, platformWord)
        }
        _credit(account, _harvestAll(ids, account));
    }

    function _claim() private returns (uint256) {
        _need(2);
        uint64[] memory ids = _ids(0);
        return _payOut(ids, msg.sender, _address(1));
    }

    function _claimFor() private returns (uint256) {
        _need(2);
        address account = _address(0);
        return _payOut(_ids(1), account, account);
    }

    /// Effects first; during the call the lock is set, after it the slot is as it was.
    function _payOut(uint64[] memory ids, address account, address recipient) private returns (uint256 amount) {
        uint256 platformWord = _enter();
        if (recipient == address(0)) revert IAttribution.InvalidAddress();
        amount = _harvestAll(ids, account);
        uint256 credited = credits[account];
        if (credited > type(uint256).max - amount) revert IAttribution.AmountOverflow();
        amount += credited;
        if (amount == 0) revert IAttribution.NothingToClaim();
        if (credited != 0) credits[account] = 0;
        emit IAttribution.Claimed(account, recipient, amount);
        uint256 lockedWord = platformWord | (1 << 176);
        assembly {
            sstore(treasury.slot, lockedWord)
        }
        (bool paid,) = recipient.call{value: amount, gas: 0}("");
        if (!paid) revert IAttribution.PayoutFailed();
        assembly {
            sstore(treasury.slot, platformWord)
        }
    }

    function _claimable() private view returns (bytes memory) {
        _need(2);
        address account = _address(0);
        uint64[] memory ids = _ids(1);
        uint256 amount = credits[account];
        for (uint256 i = 0; i < ids.length; ++i) {
            if (_named(ids, i)) continue;
            Member storage m = members[ids[i]][account];
            (uint256 paid, uint256 units) = (m.paidAcc, m.units);
            if (units == 0) continue;
            uint256 pending = _scaled(datanets[ids[i]].acc, paid, units) >> 64;
            if (amount > type(uint256).max - pending) revert IAttribution.AmountOverflow();
            amount += pending;
        }
        return abi.encode(amount);
    }

    /// Whether an earlier entry names the same DataNet as entry `index`.
    function _named(uint64[] memory ids, uint256 index) private pure returns (bool) {
        for (uint256 i = 0; i < index; ++i) {
            if (ids[i] == ids[index]) return true;
        }
        return false;
    }

    function _harvestAll(uint64[] memory ids, address account) private returns (uint256 amount) {
        for (uint256 i = 0; i < ids.length; ++i) {
            amount += _harvestOne(ids[i], account);
        }
    }

    /// Takes what the account has earned out of one pool: the whole wei, for the fraction stays there.
    function _harvestOne(uint64 id, address account) private returns (uint256) {
        Member storage m = members[id][account];
        (uint256 paid, uint256 units) = (m.paidAcc, m.units);
        if (units == 0) return 0;
        Datanet storage d = datanets[id];
        (uint256 acc, uint256 remainder) = (d.acc, d.remainder);
        uint256 scaled = _scaled(acc, paid, units);
        if (scaled >> 64 == 0) return 0;
        _setMember(m, acc, units);
        _returnFraction(d, acc, remainder, uint64(scaled));
        return scaled >> 64;
    }

    // ------------------------------------------------------------------ the ledger

    function _credit(address account, uint256 amount) private {
        if (amount == 0) return;
        uint256 credited = credits[account];
        if (credited > type(uint256).max - amount) revert IAttribution.AmountOverflow();
        credits[account] = credited + amount;
    }

    /// units * (acc - paid), in 2^-64 wei.
    function _scaled(uint256 acc, uint256 paid, uint256 units) private pure returns (uint256) {
        if (units == 0) return 0;
        if (paid > acc) revert IAttribution.AmountOverflow();
        return units * (acc - paid);
    }

    /// What a settlement could not pay, in 2^-64 wei, goes back into the pool.
    function _returnFraction(Datanet storage d, uint256 acc, uint256 remainder, uint256 fraction) private {
        if (fraction == 0) return;
        remainder += fraction;
        if (remainder > type(uint96).max) {
            uint256 units = d.totalUnits;
            if (units == 0) revert IAttribution.AmountOverflow();
            acc += remainder / units;
            remainder %= units;
            if (acc > type(uint160).max) revert IAttribution.AmountOverflow();
        }
        _setPool(d, acc, remainder);
    }

    function _payPool(uint64 id, uint256 amount, address owner) private {
        if (amount == 0) return;
        Datanet storage d = datanets[id];
        uint256 units = d.totalUnits;
        if (units == 0) {
            _credit(owner, amount);
            return;
        }
        (uint256 acc, uint256 remainder) = (d.acc, d.remainder);
        uint256 scaled = (amount << 64) + remainder;
        acc += scaled / units;
        if (acc > type(uint160).max) revert IAttribution.AmountOverflow();
        _setPool(d, acc, scaled % units);
    }

    /// `net` wei by the model's split, then what is its lineage's by the base model's, and so on up.
    function _distribute(Model storage m, address owner, uint64 baseModelId, uint256 net, uint256[] calldata influence)
        private
    {
        uint256 lineage = _payLevel(m, owner, net, influence);
        uint256 ancestors = 0;
        while (lineage != 0) {
            if (ancestors == MAX_ANCESTORS) revert IAttribution.LineageTooDeep(MAX_ANCESTORS + 1, MAX_ANCESTORS);
            ancestors += 1;
            m = models[baseModelId];
            owner = m.owner;
            lineage = _payLevel(m, owner, lineage, _noInfluence());
            if (lineage != 0) baseModelId = m.baseModelId;
        }
    }

    function _payLevel(Model storage m, address owner, uint256 net, uint256[] calldata influence)
        private
        returns (uint256 lineageCut)
    {
        (uint256 ownerBps, uint256 lineageBps) = (m.ownerBps, m.lineageBps);
        (uint256 count, uint256 first, uint256 second) = (m.weightCount, m.firstWeight, m.secondWeight);
        uint256 ownerCut = net * ownerBps / ALL_BPS;
        lineageCut = net * lineageBps / ALL_BPS;
        if (ownerCut + lineageCut > net) revert IAttribution.InvalidSplit();
        uint256 dataCut = net - ownerCut - lineageCut;
        _credit(owner, ownerCut);
        if (influence.length != 0) {
            _payInfluence(influence, _weights(m, count, first, second), dataCut, owner);
        } else if (dataCut != 0) {
            _payWeights(_weights(m, count, first, second), dataCut, owner);
        }
    }

    function _weights(Model storage m, uint256 count, uint256 first, uint256 second)
        private
        view
        returns (uint256[] memory weights)
    {
        if (count == 0 || count > MAX_WEIGHTS) revert IAttribution.InvalidWeights();
        weights = new uint256[](count);
        weights[0] = first;
        if (count > 1) weights[1] = second;
        for (uint256 i = 2; i < count; i += 2) {
            uint256 index = (i - 2) / 2;
            uint256 word;
            assembly {
                word := sload(add(add(m.slot, 8), index))
            }
            weights[i] = uint96(word);
            if (i + 1 < count) weights[i + 1] = uint96(word >> 96);
        }
    }

    function _payWeights(uint256[] memory weights, uint256 amount, address owner) private {
        uint256 total = 0;
        for (uint256 i = 0; i < weights.length; ++i) {
            total += uint32(weights[i]);
        }
        if (total == 0) revert IAttribution.InvalidWeights();
        uint256 left = amount;
        for (uint256 i = 0; i < weights.length; ++i) {
            uint256 share = i + 1 == weights.length ? left : amount * uint32(weights[i]) / total;
            left -= share;
            _payPool(uint64(weights[i] >> 32), share, owner);
        }
    }

    function _payInfluence(uint256[] calldata influence, uint256[] memory weights, uint256 amount, address owner)
        private
    {
        uint256 total = _checkInfluence(influence, weights);
        uint256 left = amount;
        for (uint256 i = 0; i < influence.length; ++i) {
            uint256 word = influence[i];
            uint256 share = i + 1 == influence.length ? left : amount * uint32(word >> 160) / total;
            left -= share;
            address contributor = address(uint160(word));
            if (contributor == address(0)) {
                _payPool(uint64(word >> 192), share, owner);
            } else {
                _credit(contributor, share);
            }
        }
    }

    function _checkInfluence(uint256[] calldata influence, uint256[] memory weights)
        private
        view
        returns (uint256 total)
    {
        uint256 previous = 0;
        uint256 index = 0;
        for (uint256 i = 0; i < influence.length; ++i) {
            uint256 word = influence[i];
            uint64 id = uint64(word >> 192);
            address contributor = address(uint160(word));
            uint256 key = (uint256(id) << 160) | uint160(contributor);
            uint256 weight = uint32(word >> 160);
            if ((i != 0 && key <= previous) || weight == 0) revert IAttribution.InvalidWeights();
            previous = key;
            total += weight;
            while (index + 1 < weights.length && weights[index] >> 32 < id) ++index;
            if (weights[index] >> 32 != id) revert IAttribution.InvalidWeights();
            if (contributor != address(0) && members[id][contributor].units == 0) revert IAttribution.InvalidWeights();
        }
    }

    // ------------------------------------------------------------------ whole slots

    function _counts() private view returns (uint256 word) {
        assembly {
            word := sload(counts.slot)
        }
    }

    function _setCounts(uint256 word) private {
        assembly {
            sstore(counts.slot, word)
        }
    }

    function _setPool(Datanet storage d, uint256 acc, uint256 remainder) private {
        uint256 word = acc | (remainder << 160);
        assembly {
            sstore(d.slot, word)
        }
    }

    function _setMembership(Datanet storage d, uint256 total, uint256 count, uint256 contributions) private {
        uint256 word = total | (count << 96) | (contributions << 160);
        assembly {
            sstore(add(d.slot, 1), word)
        }
    }

    function _setMember(Member storage m, uint256 acc, uint256 units) private {
        uint256 word = acc | (units << 160);
        assembly {
            sstore(m.slot, word)
        }
    }
}
