-- The part of the sandbox that is written in Lua: environments, tile38.call and tile38.pcall.
local base, libraries = ...
local error, rawset, setfenv, setmetatable, tostring = error, rawset, setfenv, setmetatable, tostring
-- `slot.call` is the function of the running script that runs a command; nil while objects are
-- tested.
local slot = {}
local tile38 = libraries.tile38
local UNSUPPORTED = "command not supported in scripts"

-- The call isn't a tail call, so that the script's line is two levels above `slot.call`.
function tile38.call(...)
    local call = slot.call
    if not call then
        error("ERR " .. UNSUPPORTED, 2)
    end
    local result = call(true, ...)
    return result
end

function tile38.pcall(...)
    local call = slot.call
    if not call then
        return {err = UNSUPPORTED}
    end
    local result = call(false, ...)
    return result
end

-- Without arguments, `slot.call` returns the seconds for which the script has run.
function libraries.os.clock()
    local call = slot.call
    return call and call() or 0
end

local readers = {}
for name, library in pairs(libraries) do
    readers[name] = {__index = library}
end

local environment = {}

-- Each environment gets a table of its own for a library that it uses, so that changes end with it.
function environment.__index(globals, name)
    local reader = readers[name]
    if not reader then
        return base[name]
    end
    local library = setmetatable({}, reader)
    rawset(globals, name, library)
    return library
end

function environment.__newindex(globals, name, value)
    if base[name] == nil and not readers[name] then
        error("attempt to create global variable '" .. tostring(name) .. "'", 2)
    end
    rawset(globals, name, value)
end

-- Returns the global variables of a script.
local function new_globals(keys, arguments, command, deadline)
    local globals = {KEYS = keys, ARGV = arguments, EVAL_CMD = command, DEADLINE = deadline}
    globals._G = globals
    return setmetatable(globals, environment)
end

-- Runs a script. The keys and the arguments follow in one list.
local function run(script, call, command, deadline, key_count, ...)
    local keys, arguments = {}, {...}
    if key_count > 0 then
        local words = arguments
        arguments = {}
        for index = 1, #words do
            if index <= key_count then
                keys[index] = words[index]
            else
                arguments[index - key_count] = words[index]
            end
        end
    end
    slot.call = call
    setfenv(script, new_globals(keys, arguments, command, deadline))
    local result = script()
    return result
end

-- Adds the fields that follow to a table, names and values in turn.
local function add_fields(fields, name, value, ...)
    if name == nil then
        return fields
    end
    fields[name] = value
    return add_fields(fields, ...)
end

-- Returns a function that tests an object. Few fields follow as names and values, many are a table.
local function prepare(script, arguments)
    local globals = new_globals(nil, arguments)
    setfenv(script, globals)
    return function(id, properties, fields, ...)
        rawset(globals, "ID", id)
        rawset(globals, "PROPERTIES", properties)
        rawset(globals, "FIELDS", fields or add_fields({}, ...))
        local result = script()
        return result
    end
end

local function finish()
    slot.call = nil
end

return run, prepare, finish
